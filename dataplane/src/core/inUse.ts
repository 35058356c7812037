/** The blobs that a store's records speak of: what a copy of the records needs beside it. */
import type { BlobId, Store } from '../storage/contract.ts';
import { asDigestRecord } from './digests.ts';
import { keys } from './keys.ts';
import { heldSegments } from './quarantine.ts';
import { scanAll } from './scan.ts';

export interface BlobInUse {
  readonly blob: BlobId;
  /** Its digest, for a part of an artefact; undefined for a part of an upload or of damaged bytes, which may be gone without harm. */
  readonly digest?: string | undefined;
}

/** Every one of them, small ones too; one that several speak of comes several times. */
export async function* blobsInUse(store: Store): AsyncGenerator<BlobInUse, void, void> {
  for await (const entry of scanAll(store, keys.digests)) {
    const record = asDigestRecord(entry);
    // What is in quarantine is kept for whoever looks into it, and may not be there at all.
    const digest = record.quarantined === undefined ? `sha256:${entry.key.slice(keys.digests.length)}` : undefined;
    for (const [blob] of heldSegments(record)) yield { blob, digest };
  }
  for await (const entry of scanAll(store, keys.allParts)) {
    const { blob } = entry.value as { readonly blob?: BlobId };
    if (blob !== undefined) yield { blob };
  }
}
