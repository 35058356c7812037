/** Reads all bytes of a digest, and says what is wrong with them. */
import { isError } from '../../errors.ts';
import { SMALL_BLOB } from '../../storage/contract.ts';
import type { Bytes, Store } from '../../storage/contract.ts';
import type { Digest } from '../digest.ts';
import { digestHex } from '../digest.ts';
import type { Segment } from '../digests.ts';
import { startHash } from '../hashing/checksums.ts';
import { hashStream } from '../hashing/stream.ts';
import type { Damage, Extent } from './contract.ts';

/** How bytes are read. */
export interface Reading {
  readonly store: Store;
  /** Told of all bytes that are read; what it answers is waited for. */
  readonly spend: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Undefined when the bytes are those of the digest. Every blob is read to its end, so that one that is too long is found too. Throws what
 * storage throws when it cannot be read now.
 */
export async function faultIn(reading: Reading, digest: Digest, segments: readonly Segment[]): Promise<Damage | undefined> {
  const size = segments.reduce((sum, [, length]) => sum + length, 0);
  try {
    const hex = await sha256Of(wholeBlobs(reading, segments), size);
    if (hex === digestHex(digest)) return undefined;
    return { kind: 'differs', detail: `The ${size} bytes that are stored have the SHA-256 ${hex}.`, where: [] };
  } catch (thrown) {
    if (thrown instanceof FaultFound) return thrown.fault;
    throw thrown;
  }
}

/** SHA-256 in hex. Small content is hashed where it is: handing it to another thread would cost more. */
export async function sha256Of(bytes: Bytes, size: number): Promise<string> {
  if (size > SMALL_BLOB) return (await hashStream(bytes, ['SHA256'])).get('SHA256')!.toString('hex');
  const hash = await startHash('SHA256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest().toString('hex');
}

/** Ends the reading of bytes that are known to be wrong. */
class FaultFound extends Error {
  readonly fault: Damage;

  constructor(fault: Damage) {
    super(fault.detail);
    this.fault = fault;
  }
}

async function* wholeBlobs(reading: Reading, segments: readonly Segment[]): AsyncGenerator<Uint8Array, void, void> {
  let offset = 0;
  for (const [blob, length] of segments) {
    yield* wholeBlob(reading, { blob, offset, length });
    offset += length;
  }
}

async function* wholeBlob({ store, spend, signal }: Reading, extent: Required<Extent>): AsyncGenerator<Uint8Array, void, void> {
  const { blob, length } = extent;
  let came = 0;
  try {
    for await (const chunk of store.blobs.get(blob)) {
      signal.throwIfAborted();
      came += chunk.length;
      if (came > length) throw wrongLength(extent, `more than its ${length}`);
      yield chunk;
      await spend(chunk.length);
    }
  } catch (thrown) {
    if (!isError(thrown, 'DigestUnknown')) throw thrown;
    throw new FaultFound({ kind: 'missing', detail: `The blob ${blob}, of ${length} bytes, is not there.`, where: [extent] });
  }
  if (came < length) throw wrongLength(extent, `${came} of its ${length}`);
}

function wrongLength(extent: Required<Extent>, has: string): FaultFound {
  return new FaultFound({ kind: 'length', detail: `The blob ${extent.blob} has ${has} bytes.`, where: [extent] });
}
