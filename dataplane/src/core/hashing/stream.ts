/** Several hashes of one stream while it passes by. */
import type { Bytes } from '../../storage/contract.ts';
import type { HashAlgorithm } from './checksums.ts';
import { openLaneHash } from './lanes.ts';
import type { Slab } from './slabs.ts';
import { fillSlabs, giveBuffer, readAhead, SLABS_AHEAD } from './slabs.ts';

/** Raw values by algorithm. */
export type Hashes = ReadonlyMap<HashAlgorithm, Buffer>;

export interface StreamHashes {
  /** The same bytes, gathered in large lent buffers, hashed on other threads while the consumer works. Pull it once. */
  through(source: Bytes): AsyncGenerator<Uint8Array, void, void>;
  /** After `through` ended. */
  digests(): Promise<Hashes>;
  /** Lets go of the threads; always call it. */
  drop(): void;
}

/** Is given each slab of a stream, in order; what it rejects with ends the stream. */
export type Feed = (slab: Slab) => Promise<unknown>;

/** Starts hashing for a stream. `also` is fed the same. */
export function openStreamHashes(algorithms: readonly HashAlgorithm[], also?: Feed): StreamHashes {
  const lanes = algorithms.map((algorithm) => ({ algorithm, hash: openLaneHash(algorithm) }));
  const feed: Feed = (slab) => Promise.all([...lanes.map(({ hash }) => hash.update(slab.buffer, slab.length)), also?.(slab)]);
  return {
    through: (source) => passThrough(source, feed),
    digests: async () => new Map(await Promise.all(lanes.map(async ({ algorithm, hash }) => [algorithm, await hash.digest()] as const))),
    drop: () => {
      for (const { hash } of lanes) hash.drop();
    },
  };
}

/** Hashes all of a stream. `also` is fed the same. */
export async function hashStream(source: Bytes, algorithms: readonly HashAlgorithm[], also?: Feed): Promise<Hashes> {
  const hashing = openStreamHashes(algorithms, also);
  try {
    for await (const chunk of hashing.through(source)) void chunk;
    return await hashing.digests();
  } finally {
    hashing.drop();
  }
}

/**
 * The same bytes in large lent buffers, each fed to `feed` too. A buffer is used again when the consumer has asked for the next
 * one and `feed` has taken it in. All but the last are full.
 */
export async function* passThrough(source: Bytes, feed: Feed): AsyncGenerator<Uint8Array<SharedArrayBuffer>, void, void> {
  const busy = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const slab of readAhead(fillSlabs(source), SLABS_AHEAD, (unused) => giveBuffer(unused.buffer))) {
    const fed = feed(slab).catch((error: unknown) => void failures.push(error));
    try {
      yield new Uint8Array(slab.buffer, 0, slab.length);
    } finally {
      const done = fed.then(() => giveBuffer(slab.buffer));
      busy.add(done);
      void done.then(() => busy.delete(done));
    }
    if (busy.size > SLABS_AHEAD) await Promise.race(busy);
    if (failures.length > 0) throw failures[0];
  }
  await Promise.all(busy);
  if (failures.length > 0) throw failures[0];
}
