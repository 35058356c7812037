/** Bytes that are sent, and what the checker knows of them by its own reckoning. */
import { createHash } from 'node:crypto';
import { seeded } from './random.ts';

const KIB = 1024;
const POOL = 8 * 1024 * KIB;
/** Contents that several names have, so that the store keeps them once and lets them go only with the last name. */
const SHARED = 12;

export interface Content {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly md5: string;
  /** Made anew at each call, so that thousands of contents need no memory. */
  bytes(): Buffer;
}

export interface Contents {
  /** Content of this size that nobody has sent before. */
  fresh(size: number): Content;
  /** One of a few that come again and again. */
  shared(index: number): Content;
  /** One content after the other. */
  joined(parts: readonly Content[]): Content;
}

/** Contents made of a pool of chance bytes. */
export function openContents(seed: string): Contents {
  const pool = makePool(seed);
  let made = 0;
  const cut = (name: string, size: number): Content => {
    const offset = createHash('sha256').update(name).digest().readUInt32LE(0) % POOL;
    return known(size, () => {
      const bytes = Buffer.allocUnsafe(size);
      for (let at = 0; at < size;) at += pool.copy(bytes, at, at === 0 ? offset : 0);
      bytes.write(name.slice(0, size));
      return bytes;
    });
  };
  const shared = Array.from({ length: SHARED }, (_, index) =>
    cut(`shared ${seed} ${index} `, [0, 3, 900, 32 * KIB, 32 * KIB + 1, 150 * KIB][index % 6]!),
  );
  return {
    fresh: (size) => cut(`${seed} ${(made += 1)} `, size),
    shared: (index) => shared[index % SHARED]!,
    joined: (parts) =>
      known(
        parts.reduce((sum, { size }) => sum + size, 0),
        () => Buffer.concat(parts.map((part) => part.bytes())),
      ),
  };
}

function makePool(seed: string): Buffer {
  const random = seeded(`${seed}/pool`);
  const pool = Buffer.allocUnsafe(POOL);
  for (let at = 0; at < POOL; at += 4) pool.writeUInt32LE(random.below(2 ** 32), at);
  return pool;
}

function known(size: number, bytes: () => Buffer): Content {
  const once = bytes();
  return { size, sha256: sha256Of(once), md5: createHash('md5').update(once).digest('hex'), bytes };
}

/** Lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A digest as `Repr-Digest` and `Content-Digest` have it. */
export function digestField(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}

/** The ETag that S3 gives a multipart upload. */
export function joinedEtag(parts: readonly Content[]): string {
  const hash = createHash('md5');
  for (const { md5 } of parts) hash.update(Buffer.from(md5, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

/** The ETag of a resumable upload, as docs/decisions/0007 has it. */
export function uploadEtag({ sha256 }: Content): string {
  return `${sha256.slice(0, 32)}-0`;
}
