/** Blobs and records whose calls are known while they are under way, so that closing can wait for them. */
import type { BlobId, Blobs, Bytes, Change, Records, ScanQuery } from '../contract.ts';
import type { UnderWay } from '../underWay.ts';

export function trackBlobs(blobs: Blobs, underWay: UnderWay): Blobs {
  const tracking: UnderWay['tracking'] = (perform) => underWay.tracking(perform);
  return {
    put: tracking((id: BlobId, body: Bytes) => blobs.put(id, body)),
    // A reader takes its time: it is not waited for.
    get: (id, range) => blobs.get(id, range),
    head: tracking((id: BlobId) => blobs.head(id)),
    delete: tracking((id: BlobId) => blobs.delete(id)),
    list: tracking((after: BlobId | undefined, limit: number) => blobs.list(after, limit)),
  };
}

export function trackRecords(records: Records, underWay: UnderWay): Records {
  const tracking: UnderWay['tracking'] = (perform) => underWay.tracking(perform);
  return {
    get: tracking((key: string) => records.get(key)),
    ...(records.recall && { recall: (key: string) => records.recall?.(key) }),
    scan: tracking((query: ScanQuery) => records.scan(query)),
    write: tracking((changes: readonly Change[]) => records.write(changes)),
  };
}
