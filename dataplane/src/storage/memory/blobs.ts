/** Blobs in memory. Bytes are copied on their way in and out. */
import { ArtefactError } from '../../errors.ts';
import type { Blobs, ByteRange, Bytes } from '../contract.ts';
import { checkBlobId, checkLimit, checkRange } from '../limits.ts';

/** Small, so that tests see several chunks. */
const CHUNK = 64 * 1024;

/** Blobs over the given map; `stillOpen` throws when the store is closed. */
export function openMemoryBlobs(bytesById: Map<string, Uint8Array>, stillOpen: () => void): Blobs {
  return {
    async put(id, body) {
      stillOpen();
      checkBlobId(id);
      refuseTaken(bytesById, id);
      const bytes = await collect(body);
      refuseTaken(bytesById, id);
      bytesById.set(id, bytes);
      return bytes.byteLength;
    },
    get: (id, range) => lend(bytesById, id, range, stillOpen),
    async head(id) {
      stillOpen();
      checkBlobId(id);
      return bytesById.get(id)?.byteLength;
    },
    async delete(id) {
      stillOpen();
      checkBlobId(id);
      bytesById.delete(id);
    },
    async list(after, limit) {
      stillOpen();
      checkLimit(limit);
      const ids = [...bytesById.keys()].filter((id) => after === undefined || id > after);
      return ids.sort().slice(0, limit);
    },
  };
}

function refuseTaken(bytesById: ReadonlyMap<string, Uint8Array>, id: string): void {
  if (bytesById.has(id)) throw new ArtefactError('Conflict', 'Bytes are stored under this id already; choose a new one.');
}

async function collect(body: Bytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

/** Lends one buffer again and again, and wipes it at the end, so that a caller who keeps a chunk is found out. */
async function* lend(bytesById: ReadonlyMap<string, Uint8Array>, id: string, range: ByteRange | undefined, stillOpen: () => void): Bytes {
  stillOpen();
  checkBlobId(id);
  checkRange(range);
  const bytes = bytesById.get(id);
  if (!bytes) throw new ArtefactError('DigestUnknown', 'These bytes are not in the store.');
  const end = range ? Math.min(range.offset + range.length, bytes.byteLength) : bytes.byteLength;
  const lent = new Uint8Array(CHUNK);
  try {
    for (let at = range?.offset ?? 0; at < end; at += CHUNK) {
      const part = bytes.subarray(at, Math.min(at + CHUNK, end));
      lent.set(part);
      yield lent.subarray(0, part.byteLength);
    }
  } finally {
    lent.fill(0);
  }
}
