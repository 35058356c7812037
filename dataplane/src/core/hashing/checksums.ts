/** Running hashes of every algorithm that clients send, behind one small interface. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { startSlices } from '../../slices.ts';
import type { ChecksumAlgorithm } from '../object.ts';

/** What can be computed of bytes on their way. */
export type HashAlgorithm = ChecksumAlgorithm | 'MD5' | 'SHA512';

/** Feed it, then ask once. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** The raw value, most significant byte first, as S3 encodes it. Ends the hash. */
  digest(): Buffer;
}

/** The Castagnoli polynomial, bit-reflected: CRC32C. */
const CASTAGNOLI = 0x82f63b78;

/** The CRC-64/NVME polynomial, bit-reflected: what S3 calls CRC64NVME. */
const CRC64_NVME = '9a6c9329ac4bc9b5';

/** Starts a hash. */
export async function startHash(algorithm: HashAlgorithm): Promise<RunningHash> {
  switch (algorithm) {
    case 'MD5':
      return createHash('md5');
    case 'SHA1':
      return createHash('sha1');
    case 'SHA256':
      return createHash('sha256');
    case 'SHA512':
      return createHash('sha512');
    case 'CRC32':
      return startCrc32();
    case 'CRC32C':
    case 'CRC64NVME':
      return startWasm(algorithm);
  }
}

function startCrc32(): RunningHash {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    digest: () => {
      const value = Buffer.alloc(4);
      value.writeUInt32BE(crc);
      return value;
    },
  };
}

/** What WebAssembly computes, for Node.js does not. */
type WasmAlgorithm = 'CRC32C' | 'CRC64NVME';

interface WasmHash {
  update(data: Uint8Array): unknown;
  digest(outputType: 'binary'): Uint8Array;
  load(state: Uint8Array): unknown;
}

/** An instance, and the state that it begins a hash with: going back to that takes a quarter of the time of making its tables anew. */
interface Instance {
  readonly hash: WasmHash;
  readonly start: Uint8Array;
}

async function createInstance(algorithm: WasmAlgorithm): Promise<Instance> {
  const { createCRC32, createCRC64 } = await import('hash-wasm');
  const hash = await (algorithm === 'CRC32C' ? createCRC32(CASTAGNOLI) : createCRC64(CRC64_NVME));
  return { hash, start: hash.save() };
}

/** Instances that ended a hash, to be used again: making one costs more than hashing a small object. */
const idle: Readonly<Record<WasmAlgorithm, Instance[]>> = { CRC32C: [], CRC64NVME: [] };
const KEEP_IDLE = 16;

async function startWasm(algorithm: WasmAlgorithm): Promise<RunningHash> {
  const spare = idle[algorithm];
  const instance = spare.pop() ?? (await createInstance(algorithm));
  const { hash, start } = instance;
  hash.load(start);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => {
      const value = Buffer.from(hash.digest('binary'));
      if (spare.length < KEEP_IDLE) spare.push(instance);
      return value;
    },
  };
}

/** For whole buffers, which need one at a time. */
const whole = new Map<WasmAlgorithm, Promise<Instance>>();

/**
 * The raw value of a whole buffer, on the calling thread: for small bodies only. However many wait for theirs at once, one instance of
 * WebAssembly serves them all: each would otherwise take one when it begins, and under load most would have to be made.
 */
export async function hashWhole(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Buffer> {
  if (algorithm !== 'CRC32C' && algorithm !== 'CRC64NVME') {
    const hash = await startHash(algorithm);
    hash.update(bytes);
    return hash.digest();
  }
  const { hash, start } = await wholeInstance(algorithm);
  hash.load(start);
  hash.update(bytes);
  return Buffer.from(hash.digest('binary'));
}

function wholeInstance(algorithm: WasmAlgorithm): Promise<Instance> {
  const known = whole.get(algorithm);
  if (known) return known;
  const making = createInstance(algorithm);
  whole.set(algorithm, making);
  // What failed, for want of memory say, may work the next time.
  making.catch(() => whole.delete(algorithm));
  return making;
}

/** Bytes between two looks at the clock. */
const STEP = 64 * 1024;

/** The raw value of a whole buffer. For documents, not for objects: it runs on the calling thread, in slices. */
export async function digestOf(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length <= STEP) return hashWhole(algorithm, bytes);
  const hash = await startHash(algorithm);
  const slices = startSlices();
  for (let at = 0; at < bytes.length; at += STEP) {
    if (slices.due()) await slices.next();
    hash.update(bytes.subarray(at, at + STEP));
  }
  return hash.digest();
}

/** As `digestOf`, in base64 as S3's checksum headers carry it. */
export async function checksumOf(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<string> {
  return (await digestOf(algorithm, bytes)).toString('base64');
}
