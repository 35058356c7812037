/** Running hashes of every algorithm that clients send, behind one small interface. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
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
      return fromWasm(idle.CRC32C, async () => (await import('hash-wasm')).createCRC32(CASTAGNOLI));
    case 'CRC64NVME':
      return fromWasm(idle.CRC64NVME, async () => (await import('hash-wasm')).createCRC64(CRC64_NVME));
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

interface WasmHash {
  init(): unknown;
  update(data: Uint8Array): unknown;
  digest(outputType: 'binary'): Uint8Array;
}

/** Instances that ended a hash, to be used again: making one costs more than hashing a small object. */
const idle: Readonly<Record<'CRC32C' | 'CRC64NVME', WasmHash[]>> = { CRC32C: [], CRC64NVME: [] };
const KEEP_IDLE = 16;

async function fromWasm(spare: WasmHash[], make: () => Promise<WasmHash>): Promise<RunningHash> {
  const hash = spare.pop() ?? (await make());
  hash.init();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => {
      const value = Buffer.from(hash.digest('binary'));
      if (spare.length < KEEP_IDLE) spare.push(hash);
      return value;
    },
  };
}

/** The value of a whole buffer, in base64 as S3's checksum headers carry it. For small bodies only: it runs on the calling thread. */
export async function checksumOf(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<string> {
  const hash = await startHash(algorithm);
  hash.update(bytes);
  return hash.digest().toString('base64');
}
