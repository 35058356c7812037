/** How a person, or a client on this machine, writes where a server listens. */
import type { AddressInfo } from 'node:net';

/** Every address of the machine is written as the loopback one, which always works here. */
export function addressUrl({ address, port }: Pick<AddressInfo, 'address' | 'port'>, scheme: 'http' | 'https' = 'http'): string {
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
