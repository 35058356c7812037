/**
 * SHA-256 of the whole while it arrives. A session's hash runs in a hashing thread and pursues the stored bytes: those that arrive just
 * where it stands are hashed as they stream; pieces that arrived ahead of it are read from the page cache when it gets to them.
 * It begins in the process that receives byte 0, and lives there only: the state of a running hash cannot be stored.
 */
import type { Store } from '../../storage/contract.ts';
import type { LaneHash } from '../hashing/lanes.ts';
import { openLaneHash } from '../hashing/lanes.ts';
import type { Slab } from '../hashing/slabs.ts';
import { fillSlabs, giveBuffer } from '../hashing/slabs.ts';
import { readRuns, watchRuns } from '../runs.ts';
import type { Piece } from './pieces.ts';
import { newestAt, runOf } from './pieces.ts';

/** Bytes of one request, hashed while they stream. */
export interface Following {
  feed(slab: Slab): Promise<void>;
  /** The piece that these bytes became counts now. */
  kept(piece: Pick<Piece, 'blob' | 'size'>): void;
  /** No more comes; with `sound` false, some of what was fed does not count, and the hash is of no use. */
  end(sound: boolean): void;
}

export interface Pursuits {
  /** A hash that takes bytes from `offset` on; undefined when none stands there. At byte 0 one begins, with SHA-512 too where that is wanted. */
  follow(store: Store, uploadId: string, at: { readonly offset: number; readonly withSha512: boolean }): Following | undefined;
  /** Pieces came to count: hashes on, in the background, as far as they reach. */
  chase(store: Store, uploadId: string): void;
  /** The digests of just these pieces; undefined when another way to them must be found. Throws `RunDamaged`. */
  digest(store: Store, uploadId: string, pieces: readonly Piece[]): Promise<Digests | undefined>;
  /** Some pieces were written anew as others; the bytes are the same. */
  replace(uploadId: string, old: readonly Pick<Piece, 'blob'>[], by: readonly Pick<Piece, 'blob'>[]): Promise<void>;
  drop(uploadId: string): void;
}

/** Lower-case hex. */
export interface Digests {
  readonly sha256: string;
  readonly sha512?: string;
}

/** Without news for this long, in ms, a hash is let go. */
const IDLE = 60_000;
/** Hashes at once in a process; sessions beyond that are read again when they complete. */
const MAX_PURSUITS = 256;

interface Pursuit {
  readonly hash: LaneHash;
  readonly sha512?: LaneHash | undefined;
  offset: number;
  /** The pieces taken in, in order. */
  readonly blobs: string[];
  following: boolean;
  chasing?: Promise<void>;
  result?: Digests;
  timer: NodeJS.Timeout;
}

export function createPursuits(): Pursuits {
  return new PursuitTable();
}

class PursuitTable implements Pursuits {
  readonly #pursuits = new Map<string, Pursuit>();

  follow(store: Store, uploadId: string, at: { readonly offset: number; readonly withSha512: boolean }): Following | undefined {
    const { offset } = at;
    const pursuit = this.#pursuits.get(uploadId) ?? this.#start(uploadId, at);
    if (pursuit?.offset !== offset || !isAtRest(pursuit)) return undefined;
    pursuit.following = true;
    return {
      feed: (slab) => update(pursuit, slab),
      kept: ({ blob, size }) => {
        pursuit.blobs.push(blob);
        pursuit.offset += size;
        pursuit.timer.refresh();
      },
      end: (sound) => {
        pursuit.following = false;
        if (sound) this.chase(store, uploadId);
        else this.#drop(uploadId, pursuit);
      },
    };
  }

  chase(store: Store, uploadId: string): void {
    const pursuit = this.#pursuits.get(uploadId);
    if (pursuit === undefined || !isAtRest(pursuit)) return;
    pursuit.timer.refresh();
    pursuit.chasing = catchUp(store, uploadId, pursuit)
      .catch(() => this.#drop(uploadId, pursuit))
      .finally(() => delete pursuit.chasing);
  }

  async digest(store: Store, uploadId: string, pieces: readonly Piece[]): Promise<Digests | undefined> {
    const pursuit = await this.#settled(uploadId);
    if (pursuit === undefined || pursuit.following) return undefined;
    const agrees = pursuit.blobs.length <= pieces.length && pursuit.blobs.every((blob, index) => blob === pieces[index]!.blob);
    if (!agrees) {
      this.#drop(uploadId, pursuit);
      return undefined;
    }
    try {
      return (pursuit.result ??= await finish(store, pursuit, pieces));
    } catch (error) {
      this.#drop(uploadId, pursuit);
      throw error;
    }
  }

  async replace(uploadId: string, old: readonly Pick<Piece, 'blob'>[], by: readonly Pick<Piece, 'blob'>[]): Promise<void> {
    const pursuit = await this.#settled(uploadId);
    if (pursuit === undefined) return;
    const at = pursuit.blobs.indexOf(old[0]!.blob);
    const whole = at >= 0 && old.every(({ blob }, index) => pursuit.blobs[at + index] === blob);
    if (whole) pursuit.blobs.splice(at, old.length, ...by.map(({ blob }) => blob));
    else this.#drop(uploadId, pursuit);
  }

  drop(uploadId: string): void {
    const pursuit = this.#pursuits.get(uploadId);
    if (pursuit !== undefined) this.#drop(uploadId, pursuit);
  }

  #start(uploadId: string, { offset, withSha512 }: { readonly offset: number; readonly withSha512: boolean }): Pursuit | undefined {
    if (offset !== 0 || this.#pursuits.size >= MAX_PURSUITS) return undefined;
    const idle = (): void => {
      if (made.following || made.chasing !== undefined) made.timer.refresh();
      else this.#drop(uploadId, made);
    };
    const made: Pursuit = {
      hash: openLaneHash('SHA256'),
      sha512: withSha512 ? openLaneHash('SHA512') : undefined,
      offset: 0,
      blobs: [],
      following: false,
      timer: setTimeout(idle, IDLE).unref(),
    };
    this.#pursuits.set(uploadId, made);
    return made;
  }

  /** When it has caught up; undefined when it is gone. */
  async #settled(uploadId: string): Promise<Pursuit | undefined> {
    await this.#pursuits.get(uploadId)?.chasing;
    return this.#pursuits.get(uploadId);
  }

  #drop(uploadId: string, pursuit: Pursuit): void {
    clearTimeout(pursuit.timer);
    pursuit.hash.drop();
    pursuit.sha512?.drop();
    if (this.#pursuits.get(uploadId) === pursuit) this.#pursuits.delete(uploadId);
  }
}

/** True when nothing is fed to it, and more may be. */
function isAtRest({ following, chasing, result }: Pursuit): boolean {
  return !following && chasing === undefined && result === undefined;
}

/** Takes in every piece that begins where the hash stands, until there is none. */
async function catchUp(store: Store, uploadId: string, pursuit: Pursuit): Promise<void> {
  for (;;) {
    const next = await newestAt(store, uploadId, pursuit.offset);
    if (next === undefined) return;
    await takeIn(store, pursuit, next);
  }
}

/** The slab may be used again when all have taken it in. */
async function update({ hash, sha512 }: Pursuit, { buffer, length }: Slab): Promise<void> {
  await Promise.all([hash.update(buffer, length), sha512?.update(buffer, length)]);
}

async function finish(store: Store, pursuit: Pursuit, pieces: readonly Piece[]): Promise<Digests> {
  for (const piece of pieces.slice(pursuit.blobs.length)) await takeIn(store, pursuit, piece);
  const [sha256, sha512] = await Promise.all([pursuit.hash.digest(), pursuit.sha512?.digest()]);
  return { sha256: sha256.toString('hex'), ...(sha512 && { sha512: sha512.toString('hex') }) };
}

/** Throws `RunDamaged` for a piece that is no longer what came; the hash is then of no use. */
async function takeIn(store: Store, pursuit: Pursuit, piece: Piece): Promise<void> {
  const watch = watchRuns([runOf(piece)]);
  try {
    for await (const slab of fillSlabs(readRuns(store, [runOf(piece)]))) {
      await Promise.all([update(pursuit, slab), watch.feed(slab)]);
      giveBuffer(slab.buffer);
    }
  } finally {
    watch.drop();
  }
  pursuit.blobs.push(piece.blob);
  pursuit.offset += piece.size;
}
