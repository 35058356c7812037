/**
 * The tag under which clients keep the list of referrers where a registry does not (distribution-spec 1.1, "Referrers Tag Schema"). What such a client
 * pushes counts as referrers; what others push it finds under the tag, which need not be there for that.
 */
import type { Core } from '../../../core/core.ts';
import type { DigestName } from '../../../core/digest.ts';
import type { Descriptor, FoundManifest } from '../../../core/registry/contract.ts';
import { namedBy } from '../../../core/registry/names.ts';
import { isError } from '../../../errors.ts';
import type { Call } from '../../contract.ts';
import { bucketOf } from '../call.ts';
import type { Repository } from '../names.ts';
import { OCI_INDEX } from './read.ts';

const FALLBACK = /^(sha256)-([0-9a-f]{64})$/;

/** Referrers in one made index; a client that has more of them uses the list of referrers. */
const MOST = 1000;

/** The digest that such a tag is about; undefined for any other tag. Of sha512 the scheme cuts the digest off, so there it is not known. */
export function fallbackSubject(tag: string): DigestName | undefined {
  const [, algorithm, hex] = FALLBACK.exec(tag) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : (`${algorithm}:${hex}` as DigestName);
}

/** The index for such a tag, where none was pushed, or one that lacks some of the referrers; undefined for all else. */
export async function madeIndex(call: Call<Repository>, core: Core, tag: string): Promise<string | undefined> {
  const subject = fallbackSubject(tag);
  if (subject === undefined) return undefined;
  const bucket = bucketOf(call);
  const { repository } = call.params;
  const { descriptors } = await core.registry.referrers(bucket, { repository, digest: subject }, { limit: MOST });
  const listed = await listedUnder(call, core, tag);
  if (descriptors.every(({ digest }) => listed.has(digest))) return undefined;
  return indexOf(descriptors);
}

/** What the index that was pushed under the tag lists. */
async function listedUnder(call: Call<Repository>, core: Core, tag: string): Promise<ReadonlySet<DigestName>> {
  const find = (reference: Parameters<Core['registry']['findManifest']>[2]): Promise<FoundManifest> =>
    core.registry.findManifest(bucketOf(call), call.params.repository, reference);
  try {
    const { digest } = await find({ tag });
    return new Set(namedBy((await find({ digest })).version).listed);
  } catch (error) {
    if (isError(error, 'NameUnknown')) return new Set();
    throw error;
  }
}

/** A list of referrers as the specification has it. */
export function indexOf(descriptors: readonly Descriptor[]): string {
  return `${JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: descriptors })}\n`;
}
