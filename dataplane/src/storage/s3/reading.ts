/** Reads a blob as a stream, and goes on where it broke. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { ArtefactError } from '../../errors.ts';
import type { BlobId, ByteRange } from '../contract.ts';
import { openAnswerBody, type AnswerBody } from './answerBody.ts';
import { blobName } from './blobNames.ts';
import type { S3Place } from './client.ts';
import { S3Failure } from './failure.ts';
import { plain, quoted, REQUEST_MS, sorted, type Etag } from './objects.ts';
import { beginTries, type Patience } from './patience.ts';

export interface Reading extends Patience {
  readonly client: S3Client;
  readonly place: S3Place;
}

/** The server must send something within this long whenever it is asked for more, in ms. A reader may take any time. */
const STALLED_MS = 20_000;

/** The bytes, or `range` of them as far as they exist. The range is not empty. */
export async function* readBlob(room: Reading, id: BlobId, range: ByteRange | undefined): AsyncGenerator<Uint8Array, void, void> {
  const wanted: Wanted = { at: range?.offset ?? 0, end: range && range.offset + range.length, etag: undefined };
  let tries = beginTries(room);
  for (let brokeAt = wanted.at; ;) {
    try {
      return yield* readOnce(room, id, wanted);
    } catch (thrown) {
      if (isPastEnd(thrown)) return;
      // Whoever got further may break again.
      if (wanted.at > brokeAt) tries = beginTries(room);
      brokeAt = wanted.at;
      await tries.again(passing(thrown));
    }
  }
}

function isPastEnd(thrown: unknown): boolean {
  return thrown instanceof S3Failure && thrown.kind === 'beyond';
}

/** A failure to go on after; throws every other. */
function passing(thrown: unknown): S3Failure {
  if (!(thrown instanceof S3Failure)) throw thrown;
  if (thrown.kind === 'missing' || thrown.kind === 'refused') throw unknownDigest(thrown);
  return thrown;
}

/** What is still to be read; it is kept up to date while bytes come. */
interface Wanted {
  at: number;
  /** Undefined: to the end. */
  readonly end: number | undefined;
  /** Of what was begun to be read. */
  etag: Etag | undefined;
}

async function* readOnce(room: Reading, id: BlobId, wanted: Wanted): AsyncGenerator<Uint8Array, void, void> {
  if (wanted.at === wanted.end) return;
  const body = openAnswerBody(await sorted(() => openBody(room, id, wanted)));
  try {
    for (;;) {
      const chunk = await sorted(() => withinTime(body));
      if (chunk === undefined) return room.budget.earn();
      wanted.at += chunk.byteLength;
      yield chunk;
    }
  } finally {
    body.close();
  }
}

async function openBody({ client, place }: Reading, id: BlobId, wanted: Wanted): Promise<Readable> {
  const giveUp = new AbortController();
  // Only the answer's beginning is waited for with this; it would end the body too.
  const timer = setTimeout(() => giveUp.abort(), REQUEST_MS);
  try {
    const command = new GetObjectCommand({ Bucket: place.bucket, Key: place.prefix + blobName(id), ...conditions(wanted) });
    const found = await client.send(command, { abortSignal: giveUp.signal });
    wanted.etag ??= plain(found.ETag);
    return found.Body as Readable;
  } finally {
    clearTimeout(timer);
  }
}

function conditions({ at, end, etag }: Wanted): { Range?: string; IfMatch?: string } {
  const last = end === undefined || end > Number.MAX_SAFE_INTEGER / 2 ? '' : end - 1;
  return {
    ...((at > 0 || end !== undefined) && { Range: `bytes=${at}-${last}` }),
    ...(etag !== undefined && { IfMatch: quoted(etag) }),
  };
}

async function withinTime(body: AnswerBody): Promise<Uint8Array | undefined> {
  const timer = setTimeout(() => body.close(Object.assign(new Error('stalled'), { code: 'TimeoutError' })), STALLED_MS);
  try {
    return await body.next();
  } finally {
    clearTimeout(timer);
  }
}

export function unknownDigest(cause?: unknown): ArtefactError {
  return new ArtefactError('DigestUnknown', 'These bytes are not in the store.', { cause });
}
