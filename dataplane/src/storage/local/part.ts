/** One blob on its way to disk: its bytes go to a file in `incoming/`, which becomes the blob only when it is whole and synced. */
import { randomBytes } from 'node:crypto';
import { open, link, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobId } from '../contract.ts';
import type { Directories } from './directories.ts';
import { isErrno } from './failure.ts';
import type { Layout } from './layout.ts';
import { leafOf, pathOf } from './layout.ts';
import { LARGE_SLAB } from './slabs.ts';
import type { Slabs } from './slabs.ts';

/** Chunks from this size on are written as they are; smaller ones are gathered, so that no system call is small. */
const DIRECT = 128 * 1024;

/** Bytes after which what was written so far is pushed to disk in the background, so that the last sync is short. */
const PUSH_EVERY = 64 * 1024 * 1024;

/** Where a part is written, and what it is written with. */
export interface PartPlace {
  readonly layout: Layout;
  readonly directories: Directories;
  readonly slabs: Slabs;
}

/** Starts a part. The caller ends it by `publish` or `discard`. */
export async function openPart(place: PartPlace, id: BlobId): Promise<Part> {
  const path = join(place.layout.incoming, `${id}~${randomBytes(9).toString('base64url')}`);
  const handle = await open(path, 'wx', 0o600);
  return new Part(place, path, handle);
}

/** Calls are made one after another, never at once. */
export class Part {
  readonly #place: PartPlace;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** The buffer that small chunks are gathered in, and how full it is. */
  #gathering: Uint8Array | undefined;
  #gathered = 0;
  /** A write under way, of the other buffer; it never rejects: `#failure` holds what went wrong. */
  #writing: Promise<void> | undefined;
  #pushing: Promise<void> | undefined;
  #failure: Error | undefined;
  #position = 0;
  #pushed = 0;

  constructor(place: PartPlace, path: string, handle: FileHandle) {
    this.#place = place;
    this.#path = path;
    this.#handle = handle;
  }

  /** Takes the chunk: when it resolves, the chunk's buffer may be used again. */
  async append(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength >= DIRECT) {
      await this.#flush();
      await this.#settle();
      await this.#writeAt(chunk, this.#advance(chunk.byteLength));
      return this.#push();
    }
    for (let at = 0; at < chunk.byteLength;) at += await this.#gather(chunk.subarray(at));
  }

  /** Makes the part the blob `id`, durably; false when there is one already (the part is then gone). */
  async publish(id: BlobId): Promise<boolean> {
    await this.#flush();
    await this.#settle();
    await this.#pushing;
    this.#throwFailure();
    await this.#handle.datasync();
    const linked = await this.#link(id);
    // The blob stands (or the id was taken): nothing hangs on how tidying ends, and a part that stays is swept later.
    const tidied = Promise.allSettled([unlink(this.#path), this.#handle.close()]);
    if (linked) await this.#place.directories.sync(leafOf(this.#place.layout, id));
    await tidied;
    return linked;
  }

  /** Removes every trace; never throws. */
  async discard(): Promise<void> {
    await this.#letGo().catch(() => undefined);
    await unlink(this.#path).catch(() => undefined);
  }

  /** A link never replaces a file, which a rename would: two writers of one id cannot both win. */
  async #link(id: BlobId): Promise<boolean> {
    const { layout, directories } = this.#place;
    await directories.ensure(leafOf(layout, id));
    try {
      await this.#linkOnce(id);
    } catch (thrown) {
      if (isErrno(thrown, 'EEXIST')) return false;
      throw thrown;
    }
    return true;
  }

  async #linkOnce(id: BlobId): Promise<void> {
    const { layout, directories } = this.#place;
    try {
      await link(this.#path, pathOf(layout, id));
    } catch (thrown) {
      if (!isErrno(thrown, 'ENOENT')) throw thrown;
      // The empty directory was swept meanwhile.
      await directories.ensureAgain(leafOf(layout, id));
      await link(this.#path, pathOf(layout, id));
    }
  }

  /** Copies what fits; answers how much that was. */
  async #gather(chunk: Uint8Array): Promise<number> {
    this.#gathering ??= this.#place.slabs.take(LARGE_SLAB);
    const taken = chunk.subarray(0, this.#gathering.byteLength - this.#gathered);
    this.#gathering.set(taken, this.#gathered);
    this.#gathered += taken.byteLength;
    if (this.#gathered === this.#gathering.byteLength) await this.#flush();
    return taken.byteLength;
  }

  /** Begins to write what was gathered; the next chunks are gathered in another buffer meanwhile. */
  async #flush(): Promise<void> {
    await this.#settle();
    const slab = this.#gathering;
    if (!slab) return;
    const bytes = slab.subarray(0, this.#gathered);
    const position = this.#advance(bytes.byteLength);
    this.#gathering = undefined;
    this.#gathered = 0;
    this.#writing = this.#writeAt(bytes, position)
      .catch((thrown: Error) => void (this.#failure ??= thrown))
      .finally(() => this.#place.slabs.giveBack(slab));
    this.#push();
  }

  /** Waits for the write under way, and throws what it or an earlier one failed with. */
  async #settle(): Promise<void> {
    await this.#writing;
    this.#writing = undefined;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #advance(length: number): number {
    const position = this.#position;
    this.#position += length;
    return position;
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.byteLength;) {
      const rest = bytes.byteLength - written;
      written += (await this.#handle.write(bytes, written, rest, position + written)).bytesWritten;
    }
  }

  #push(): void {
    if (this.#pushing || this.#position - this.#pushed < PUSH_EVERY) return;
    this.#pushed = this.#position;
    this.#pushing = this.#handle
      .datasync()
      .catch((thrown: Error) => void (this.#failure ??= thrown))
      .finally(() => (this.#pushing = undefined));
  }

  async #letGo(): Promise<void> {
    await this.#writing;
    await this.#pushing;
    if (this.#gathering) this.#place.slabs.giveBack(this.#gathering);
    this.#gathering = undefined;
    await this.#handle.close();
  }
}
