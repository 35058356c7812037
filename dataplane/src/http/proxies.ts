/** Who the client is when a proxy stands in front: forwarding headers count only from peers that are trusted by name. */
import ipaddr from 'ipaddr.js';

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** More forwarders than this in one header are a mistake or an attack: the rest is not looked at. */
const MAX_FORWARDERS = 32;

export interface Client {
  readonly remoteAddress: string;
  readonly secure: boolean;
}

/** Reads the client out of a connection and its headers. */
export type ClientReader = (
  peer: { readonly address: string | undefined; readonly encrypted: boolean },
  headers: Readonly<Record<string, string | undefined>>,
) => Client;

/** Makes a reader that trusts peers in these addresses or CIDR ranges. Throws `TypeError` for what is neither. */
export function createClientReader(trusted: readonly string[]): ClientReader {
  const ranges = trusted.map(parseRange);
  const isTrusted = (address: string): boolean => isIn(ranges, address);
  const plainPeer = remembering((address) => plainAddress(address) ?? 'unknown');
  return (peer, headers) => {
    const direct: Client = { remoteAddress: plainPeer(peer.address ?? ''), secure: peer.encrypted };
    if (ranges.length === 0 || !isTrusted(direct.remoteAddress)) return direct;
    return {
      remoteAddress: forwardedFor(headers['x-forwarded-for'], isTrusted) ?? direct.remoteAddress,
      secure: forwardedProto(headers['x-forwarded-proto']) ?? direct.secure,
    };
  };
}

/** Peers whose addresses are remembered; forgetting some costs a microsecond each. */
const MAX_PEERS = 1000;

function remembering(read: (address: string) => string): (address: string) => string {
  const known = new Map<string, string>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= MAX_PEERS) known.clear();
    const plain = read(address);
    known.set(address, plain);
    return plain;
  };
}

/** The last address that no trusted proxy has: what stands before it, the client itself may have written. */
function forwardedFor(header: string | undefined, isTrusted: (address: string) => boolean): string | undefined {
  let client: string | undefined;
  for (const entry of (header ?? '').split(',').slice(-MAX_FORWARDERS).reverse()) {
    const address = plainAddress(withoutPort(entry.trim()));
    if (address === undefined) return client;
    client = address;
    if (!isTrusted(address)) return client;
  }
  return client;
}

/** What the nearest proxy says. */
function forwardedProto(header: string | undefined): boolean | undefined {
  const scheme = header?.split(',').at(-1)?.trim().toLowerCase();
  return scheme ? scheme === 'https' : undefined;
}

function parseRange(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function isIn(ranges: readonly Range[], text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
}

/** An address in its usual form: IPv4 also where the socket calls it `::ffff:…`. */
function plainAddress(text: string): string | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text);
  if (bracketed?.[1]) return bracketed[1];
  return /^[\d.]+:\d{1,5}$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
}
