/** Reads lines and runs of bytes out of arriving chunks, without copying the runs. */
import { ArtefactError } from '../errors.ts';
import type { Bytes } from '../storage/contract.ts';

const CR = 0x0d;
const LF = 0x0a;

/** A reader at one place in a byte stream. Runs it answers are lent: valid until the next call. */
export interface ByteCursor {
  /**
   * The next line without its end, or undefined at the end of the stream. Throws `MalformedBody` for one longer than
   * `limit`, or not ended as `ending` wants it; `BodyIncomplete` when the stream ends within it.
   */
  line(limit: number, ending?: 'CRLF' | 'LF or CRLF'): Promise<string | undefined>;
  /** Between 1 and `most` bytes; undefined at the end of the stream. */
  take(most: number): Promise<Uint8Array | undefined>;
  /** Lets the source go. */
  close(): Promise<void>;
}

/** A cursor at the start of `source`. A source that breaks off is a `BodyIncomplete`; its own ArtefactErrors pass. */
export function createByteCursor(source: Bytes): ByteCursor {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);

  async function fill(): Promise<boolean> {
    while (chunk.length === 0) {
      const next = await pull(iterator);
      if (next === undefined) return false;
      chunk = next;
    }
    return true;
  }

  return {
    async line(limit, ending = 'CRLF') {
      let text = '';
      while (await fill()) {
        const end = chunk.indexOf(LF);
        const piece = chunk.subarray(0, end === -1 ? chunk.length : end + 1);
        if (text.length + piece.length > limit + 2)
          throw new ArtefactError('MalformedBody', `A line of the body is longer than ${limit} bytes.`);
        text += Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
        chunk = chunk.subarray(piece.length);
        if (end !== -1) return withoutEnd(text, ending);
      }
      if (text !== '') throw incomplete();
      return undefined;
    },
    async take(most) {
      if (!(await fill())) return undefined;
      const run = chunk.subarray(0, most);
      chunk = chunk.subarray(run.length);
      return run;
    },
    async close() {
      await iterator.return?.();
    },
  };
}

async function pull(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const next = await iterator.next();
    return next.done === true ? undefined : next.value;
  } catch (thrown) {
    throw thrown instanceof ArtefactError ? thrown : incomplete(thrown);
  }
}

function withoutEnd(text: string, ending: 'CRLF' | 'LF or CRLF'): string {
  if (text.charCodeAt(text.length - 2) === CR) return text.slice(0, -2);
  if (ending === 'CRLF') throw new ArtefactError('MalformedBody', 'Lines of the body end with CRLF.');
  return text.slice(0, -1);
}

/** The body ended before what it announced. */
export function incomplete(cause?: unknown): ArtefactError {
  return new ArtefactError('BodyIncomplete', 'The request body terminated unexpectedly', { cause });
}
