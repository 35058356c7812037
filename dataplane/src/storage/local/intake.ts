/** Takes a body in: held in memory until it is known whether it is small (a row) or not (a file). */
import { ArtefactError } from '../../errors.ts';
import { SMALL_BLOB } from '../contract.ts';
import type { BlobId } from '../contract.ts';
import { onDisk } from './failure.ts';
import { openPart } from './part.ts';
import type { Part, PartPlace } from './part.ts';
import type { WriteQueue } from './writeQueue.ts';

export interface IntakeOptions extends PartPlace {
  readonly queue: WriteQueue;
  readonly location: string;
  /** True when a small blob of this id is stored, as a row. */
  readonly isRow: (id: BlobId) => boolean;
}

/** What is thrown for an id that has bytes already. */
export function taken(): ArtefactError {
  return new ArtefactError('Conflict', 'Bytes are stored under this id already; choose a new one.');
}

/** One body under way. Calls are made one after another; `finish` or `discard` ends it. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #id: BlobId;
  #held: Uint8Array[] = [];
  #part: Part | undefined;
  #size = 0;

  constructor(options: IntakeOptions, id: BlobId) {
    this.#options = options;
    this.#id = id;
  }

  /** Takes a chunk: when it resolves, the chunk's buffer may be used again. */
  async take(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.byteLength;
    if (!this.#part && this.#size <= SMALL_BLOB) {
      this.#held.push(new Uint8Array(chunk));
      return;
    }
    await onDisk(this.#options.location, async () => (await this.#openPart()).append(chunk));
  }

  async #openPart(): Promise<Part> {
    if (this.#part) return this.#part;
    this.#part = await openPart(this.#options, this.#id);
    for (const chunk of this.#held.splice(0)) await this.#part.append(chunk);
    return this.#part;
  }

  /** Makes it the blob, durably, and answers its size. Throws `Conflict` when there is one of this id. */
  async finish(): Promise<number> {
    await (this.#part ? this.#publish(this.#part) : this.#writeRow());
    return this.#size;
  }

  /** The writer checks the id, in the same commit. */
  async #writeRow(): Promise<void> {
    try {
      await this.#options.queue.write([{ blob: this.#id, bytes: joined(this.#held) }]);
    } catch (thrown) {
      // A blob put on its own is in no batch of the caller's, so its conflict names no change.
      throw thrown instanceof ArtefactError && thrown.code === 'Conflict' ? taken() : thrown;
    }
  }

  #publish(part: Part): Promise<void> {
    return onDisk(this.#options.location, async () => {
      if (this.#options.isRow(this.#id) || !(await part.publish(this.#id))) throw taken();
    });
  }

  /** Leaves nothing behind; never throws. */
  async discard(): Promise<void> {
    this.#held = [];
    await this.#part?.discard();
  }
}

/** All chunks in one buffer of its own, which can be moved to another thread. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
