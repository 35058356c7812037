/** Records of versions that never came to stand, or that were to go, because a batch was cut off. */
import type { Entry, Store } from '../../storage/contract.ts';
import type { CoreContext } from '../context.ts';
import type { Digest } from '../digest.ts';
import { keys, splitNamed } from '../keys.ts';
import { scanAll } from '../scan.ts';
import { findVersionById } from '../versions.ts';
import { unlessConflict } from '../conflict.ts';

/** A note about a version; see `past.ts`. */
interface VersionGarbage {
  /** Ms since the epoch. */
  readonly since: number;
  /** Undefined for a delete marker. */
  readonly digest?: Digest;
}

/** Looks at every version whose batch left its note for longer than the grace time. */
export async function collectVersions(context: CoreContext, store: Store, signal: AbortSignal): Promise<void> {
  for await (const note of scanAll(store, keys.garbageVersions, { signal })) {
    const said = note.value as unknown as VersionGarbage;
    if (context.now() - said.since < context.terms.grace) continue;
    await collectVersion(store, note, said).catch(unlessConflict);
  }
}

/** What stands stays. Else its own record goes, and its hold on the digest, which is looked at then. */
async function collectVersion(store: Store, note: Entry, { since, digest }: VersionGarbage): Promise<void> {
  const rest = note.key.slice(keys.garbageVersions.length);
  const bucketId = rest.slice(0, rest.indexOf('/'));
  const { key, id } = splitNamed(rest, `${bucketId}/`);
  const stands = (await findVersionById({ store, id: bucketId }, key, id)) !== undefined;
  const remains = [
    { delete: keys.past(bucketId, key, id) },
    ...(digest === undefined
      ? []
      : [{ put: keys.garbageDigest(digest), value: { since } }, { delete: keys.ref(digest, bucketId, key, id) }]),
  ];
  await store.records.write([...(stands ? [] : remains), { delete: note.key, ifRevision: note.revision }]);
}
