/** The tag under which clients keep the list of referrers where a registry does not (distribution-spec 1.1, "Referrers Tag Schema"). */
import type { DigestName } from '../../../core/digest.ts';

const FALLBACK = /^(sha256)-([0-9a-f]{64})$/;

/** The digest that such a tag is about; undefined for any other tag. Of sha512 the scheme cuts the digest off, so there it is not known. */
export function fallbackSubject(tag: string): DigestName | undefined {
  const [, algorithm, hex] = FALLBACK.exec(tag) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : (`${algorithm}:${hex}` as DigestName);
}
