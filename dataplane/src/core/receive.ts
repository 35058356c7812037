/** Bytes come in: hashed and stored while they stream, checked at the end, not yet named. */
import { ArtefactError } from '../errors.ts';
import type { BlobId, Bytes, Store } from '../storage/contract.ts';
import { SMALL_BLOB } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import type { Arrived, Expected, Place } from './core.ts';
import { sha256Digest } from './digest.ts';
import { findDigest } from './digests.ts';
import type { HashAlgorithm } from './hashing/checksums.ts';
import { hashWhole } from './hashing/checksums.ts';
import type { Hashes } from './hashing/stream.ts';
import { openStreamHashes } from './hashing/stream.ts';
import { newId } from './ids.ts';
import { beginIntent, seizeIntent } from './intents.ts';
import { keys } from './keys.ts';
import type { ChecksumAlgorithm, Content } from './object.ts';
import { heldBlobs } from './quarantine.ts';

/** What `Objects.receive` promises. */
export async function receive(context: CoreContext, store: Store, bytes: Bytes, expected: Expected): Promise<Arrived> {
  const algorithms = algorithmsOf(expected);
  const start = await firstBytes(bounded(bytes, expected.maxSize));
  if (start.rest === undefined) {
    const hashes = await hashSmall(start.bytes, algorithms);
    return check(start.bytes.length, hashes, { kind: 'small', bytes: start.bytes }, expected);
  }
  return receiveLarge(context, store, joined(start.bytes, start.rest), { algorithms, expected });
}

/**
 * Forgets bytes that arrived and were not named: at once where that is certain, else the collector does. Safe to call after a
 * naming whose outcome is unknown, since it changes nothing unless the intent stands as it was.
 */
export async function discard(store: Store, arrived: Arrived): Promise<void> {
  if (arrived.place.kind === 'small') return;
  const { blob, intent } = arrived.place;
  const key = keys.intent(blob);
  const entry = await store.records.get(key);
  if (entry === undefined) return forgetGivenUp(store, arrived, blob);
  if (entry.revision !== intent) return;
  if (!(await seizeIntent(store, blob, intent))) return;
  await store.blobs.delete(blob);
  await store.records.write([{ delete: key }]);
}

/** Without an intent nobody can name them any more: either somebody did, or the collector gave them up before they were whole. */
async function forgetGivenUp(store: Store, { content }: Arrived, blob: BlobId): Promise<void> {
  const found = await findDigest(store, content.digest);
  if (found === undefined || !heldBlobs(found.record).has(blob)) await store.blobs.delete(blob);
}

function algorithmsOf(expected: Expected): readonly HashAlgorithm[] {
  const wanted = new Set<HashAlgorithm>(['SHA256', 'MD5']);
  if (expected.checksum !== undefined) wanted.add(expected.checksum.algorithm);
  if (expected.sha512 !== undefined) wanted.add('SHA512');
  return [...wanted];
}

async function* bounded(bytes: Bytes, maxSize: number | undefined): AsyncGenerator<Uint8Array, void, void> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (maxSize !== undefined && size > maxSize) {
      throw new ArtefactError('BodyTooLarge', `The content is larger than the ${maxSize} bytes allowed here.`, {
        details: { maxSize, proposedSize: size },
      });
    }
    yield chunk;
  }
}

/** Reads until it ends or is no longer small; `rest` is undefined when it ended. */
async function firstBytes(
  source: AsyncGenerator<Uint8Array, void, void>,
): Promise<{ readonly bytes: Buffer; readonly rest?: AsyncGenerator<Uint8Array, void, void> }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const next = await source.next();
    if (next.done === true) return { bytes: Buffer.concat(chunks, size) };
    chunks.push(Buffer.from(next.value));
    size += next.value.length;
    if (size > SMALL_BLOB) return { bytes: Buffer.concat(chunks, size), rest: source };
  }
}

async function* joined(first: Uint8Array, rest: AsyncGenerator<Uint8Array, void, void>): AsyncGenerator<Uint8Array, void, void> {
  yield first;
  yield* rest;
}

async function hashSmall(bytes: Uint8Array, algorithms: readonly HashAlgorithm[]): Promise<Hashes> {
  const values = new Map<HashAlgorithm, Buffer>();
  for (const algorithm of algorithms) values.set(algorithm, await hashWhole(algorithm, bytes));
  return values;
}

async function receiveLarge(
  context: CoreContext,
  store: Store,
  bytes: Bytes,
  terms: { readonly algorithms: readonly HashAlgorithm[]; readonly expected: Expected },
): Promise<Arrived> {
  const blob = newId();
  const intent = beginIntent(context, store, blob);
  const hashing = openStreamHashes(terms.algorithms);
  try {
    const size = await store.blobs.put(blob, intent.before(hashing.through(bytes)));
    const hashes = await hashing.digests();
    const place: Place = { kind: 'blob', blob, intent: await intent.settle() };
    return check(size, hashes, place, terms.expected);
  } catch (error) {
    await intent.giveUp(error);
    throw error;
  } finally {
    hashing.drop();
  }
}

function check(size: number, hashes: Hashes, place: Place, expected: Expected): Arrived {
  const sha256 = hashes.get('SHA256')!.toString('hex');
  const md5 = hashes.get('MD5')!.toString('hex');
  checkSize(size, expected);
  if (expected.sha256 !== undefined && expected.sha256.hex !== sha256) throw sha256Mismatch(expected.sha256, sha256);
  if (expected.sha512 !== undefined && expected.sha512 !== hashes.get('SHA512')!.toString('hex')) {
    throw new ArtefactError('DigestMismatch', 'The SHA-512 you specified did not match what we received.');
  }
  if (expected.md5 !== undefined && expected.md5 !== md5) {
    throw new ArtefactError('DigestMismatch', 'The Content-MD5 you specified did not match what we received.', {
      details: { expectedDigest: expected.md5, calculatedDigest: md5 },
    });
  }
  const checksum = checkChecksum(hashes, expected);
  const content: Content = { digest: sha256Digest(sha256), size, etag: md5, ...(checksum === undefined ? {} : { checksum }) };
  const checksums: Partial<Record<ChecksumAlgorithm, string>> = { SHA256: hashes.get('SHA256')!.toString('base64') };
  if (checksum !== undefined) checksums[checksum.algorithm] = checksum.value;
  return { place, content, md5, checksums };
}

function checkSize(size: number, expected: Expected): void {
  if (expected.size !== undefined && expected.size !== size) {
    throw new ArtefactError('BodyIncomplete', `You declared ${expected.size} bytes and sent ${size}.`, {
      details: { expectedSize: expected.size, receivedSize: size },
    });
  }
  if (expected.minSize !== undefined && size < expected.minSize) {
    throw new ArtefactError('InvalidArgument', `The content is smaller than the ${expected.minSize} bytes that the policy demands.`, {
      details: { s3Code: 'EntityTooSmall', minSizeAllowed: expected.minSize, proposedSize: size },
    });
  }
}

function sha256Mismatch(expected: { readonly hex: string; readonly signed: boolean }, calculated: string): ArtefactError {
  const details = { clientComputedContentSHA256: expected.hex, s3ComputedContentSHA256: calculated };
  if (expected.signed)
    return new ArtefactError('PayloadMismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
      details,
    });
  return new ArtefactError('DigestMismatch', 'The SHA-256 you specified did not match what we received.', { details });
}

function checkChecksum(hashes: Hashes, expected: Expected): Content['checksum'] {
  if (expected.checksum === undefined) return undefined;
  const { algorithm, value } = expected.checksum;
  const computed = hashes.get(algorithm)!.toString('base64');
  const claimed = typeof value === 'function' ? value() : value;
  if (typeof value === 'function' && claimed === undefined) {
    throw new ArtefactError('MalformedBody', `The trailer with the ${algorithm} checksum that the request announced did not arrive.`);
  }
  if (claimed !== undefined && claimed !== computed) {
    throw new ArtefactError('DigestMismatch', `The ${algorithm} you specified did not match the calculated checksum.`, {
      details: { algorithm, expectedDigest: claimed, calculatedDigest: computed },
    });
  }
  return { algorithm, type: 'FULL_OBJECT', value: computed };
}
