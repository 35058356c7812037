/** Blobs as objects of an S3 bucket. */
import type { BlobId, Blobs, ByteRange } from '../contract.ts';
import { checkBlobId, checkLimit, checkRange } from '../limits.ts';
import { BLOBS, blobName, readBlobName } from './blobNames.ts';
import { S3Failure, translate } from './failure.ts';
import { repeated } from './patience.ts';
import { readBlob, unknownDigest, type Reading } from './reading.ts';
import { upload, type Uploading } from './upload.ts';

export interface S3BlobsOptions extends Uploading, Reading {
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
}

/** The longest page that servers give. */
const MOST = 1000;

/** Blobs over the objects of a place. */
export function openS3Blobs(options: S3BlobsOptions): Blobs {
  const { objects, stillOpen } = options;
  return {
    async put(id, body) {
      stillOpen();
      checkBlobId(id);
      return upload(options, id, body);
    },
    get: (id, range) => lend(options, id, range),
    async head(id) {
      stillOpen();
      checkBlobId(id);
      return sizeOf(options, id);
    },
    async delete(id) {
      stillOpen();
      checkBlobId(id);
      // Ids are never used again, so a repetition that comes late takes nothing else.
      await told(options, () => repeated(options, () => objects.delete(blobName(id))), undefined);
    },
    async list(after, limit) {
      stillOpen();
      checkLimit(limit);
      return list(options, after, limit);
    },
  };
}

async function* lend(options: S3BlobsOptions, id: BlobId, range: ByteRange | undefined): AsyncGenerator<Uint8Array, void, void> {
  options.stillOpen();
  checkBlobId(id);
  checkRange(range);
  if (range?.length !== 0) return yield* readBlob(options, id, range);
  if ((await sizeOf(options, id)) === undefined) throw unknownDigest();
}

function sizeOf(options: S3BlobsOptions, id: BlobId): Promise<number | undefined> {
  return told(options, async () => (await repeated(options, () => options.objects.head(blobName(id)))).size, undefined);
}

async function list(options: S3BlobsOptions, after: BlobId | undefined, limit: number): Promise<readonly BlobId[]> {
  const ids: BlobId[] = [];
  for (let token: string | undefined; ;) {
    const page = await repeated(options, () =>
      options.objects.list({
        prefix: BLOBS,
        limit: Math.min(MOST, limit - ids.length),
        ...(token !== undefined && { token }),
        ...(after !== undefined && { after: blobName(after) }),
      }),
    );
    ids.push(...page.objects.map(({ name }) => readBlobName(name)).filter((id) => id !== undefined));
    token = page.token;
    if (token === undefined || ids.length >= limit) return ids.slice(0, limit);
  }
}

/** Answers `missing` for what is not there, and tells every other failure in the data plane's words. */
async function told<T>({ location }: S3BlobsOptions, request: () => Promise<T>, missing: T): Promise<T> {
  try {
    return await request();
  } catch (thrown) {
    if (thrown instanceof S3Failure && thrown.kind === 'missing') return missing;
    throw translate(thrown, location);
  }
}
