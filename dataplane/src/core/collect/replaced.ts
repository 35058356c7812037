/**
 * Blobs that their digest has no more. Damaged ones that were replaced by right ones are kept for the grace time, for downloads under
 * way and for whoever looks for the cause; those of a digest that was collected go with it, and here only when that was cut off.
 */
import type { Store } from '../../storage/contract.ts';
import type { CoreContext } from '../context.ts';
import { sha256Digest } from '../digest.ts';
import { findDigest } from '../digests.ts';
import { keys } from '../keys.ts';
import type { Replaced } from '../quarantine.ts';
import { heldBlobs } from '../quarantine.ts';
import { scanAll } from '../scan.ts';
import type { Collected } from './digests.ts';

/** Removes the former blobs of digests. What a digest holds still, because its repair or its removal was cut off, stays. */
export async function collectReplaced(context: CoreContext, store: Store, signal: AbortSignal): Promise<Collected> {
  let blobs = 0;
  let bytes = 0;
  for await (const entry of scanAll(store, keys.garbageReplacements, { signal })) {
    const { since, segments } = entry.value as unknown as Replaced;
    if (context.now() - since < context.terms.grace) continue;
    const [hex = ''] = entry.key.slice(keys.garbageReplacements.length).split('/');
    const found = await findDigest(store, sha256Digest(hex));
    const held = found && heldBlobs(found.record);
    for (const [blob, size] of segments) {
      if (held?.has(blob) === true) continue;
      await store.blobs.delete(blob);
      blobs += 1;
      bytes += size;
    }
    await store.records.write([{ delete: entry.key }]);
  }
  return { blobs, bytes };
}
