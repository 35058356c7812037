/** Where a request points: bucket and key out of host and path. Nothing is normalised: `..`, `//` and a last `/` are bytes of a key. */
import type { RequestHead } from '../contract.ts';
import { addressIn, bucketPath, malformedUri } from '../namePath.ts';
import type { Address } from '../namePath.ts';

export { decodePath } from '../namePath.ts';
export type { Address } from '../namePath.ts';

/**
 * `/{bucket}/{key}`, or `/{key}` where the host is `{bucket}.{domain}`. Throws `MalformedUri` for a bad escape, for what is not
 * UTF-8 and for U+0000; `InvalidBucketName`; `NameTooLong`.
 */
export function addressOf(head: Pick<RequestHead, 'rawPath' | 'host'>, domains: readonly string[]): Address {
  if (!head.rawPath.startsWith('/')) throw malformedUri('The path must begin with a slash.');
  const path = head.rawPath.slice(1);
  const hosted = bucketOfHost(head.host, domains);
  if (hosted !== undefined) return addressIn(hosted, path);
  return bucketPath(path);
}

/** The label before a configured domain; undefined for the domain itself and for any other host. */
export function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (domains.includes(name)) return undefined;
  const matching = domains.filter((domain) => name.endsWith(`.${domain}`));
  const domain = matching.reduce<string | undefined>(
    (best, next) => (best !== undefined && best.length >= next.length ? best : next),
    undefined,
  );
  return domain === undefined ? undefined : name.slice(0, -domain.length - 1);
}
