/**
 * aws-chunked: `hex-size[;chunk-signature=…] CRLF bytes CRLF … 0[;chunk-signature=…] CRLF [trailers] CRLF`.
 *
 * Bytes are handed on as they arrive, before the signature of their chunk could be checked. So they are provisional:
 * whoever takes them may commit to nothing until the iteration has ended without an error.
 */
import { ArtefactError } from '../errors.ts';
import { nextSlice } from '../slices.ts';
import type { Bytes } from '../storage/contract.ts';
import { createByteCursor, incomplete, type ByteCursor } from './byteCursor.ts';
import { createChunkChain, type ChunkChain } from './chunkSignature.ts';
import { readTrailers } from './chunkTrailers.ts';
import type { ChunkSeed } from './payloadAuth.ts';

const MAX_HEADER = 256;
/** After so many chunks others get a turn of the event loop: of the smallest, a packet holds ten thousand. */
const CHUNKS_PER_TURN = 128;
/** S3's floor for every signed chunk but the last, in bytes: smaller ones cost more to check than to send. */
const MIN_SIGNED_CHUNK = 8192;
const HEADER = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?$/;

/** How a body is chunked. */
export interface ChunkedForm {
  /** Present when every chunk is signed. */
  readonly seed?: ChunkSeed;
  /** Lower-cased names of the trailers that must come; undefined when the form has no trailers. */
  readonly announced?: readonly string[];
  /** Bytes of content that the chunks must add up to. */
  readonly decodedLength: number;
}

/** A decoded body. Pull `bytes` once; `trailers` is complete when it ended. */
export interface Decoded {
  readonly bytes: Bytes;
  readonly trailers: ReadonlyMap<string, string>;
}

/**
 * Takes the chunking off. `bytes` throws `SignatureMismatch`, `MalformedBody`, `InvalidRequest` (more bytes than
 * announced; signed chunks too small), `BodyIncomplete` (fewer), and nothing else but what `raw` itself throws as an ArtefactError.
 */
export function decodeAwsChunked(raw: Bytes, form: ChunkedForm): Decoded {
  const trailers = new Map<string, string>();
  return { bytes: decode(raw, form, trailers), trailers };
}

async function* decode(raw: Bytes, form: ChunkedForm, trailers: Map<string, string>): AsyncGenerator<Uint8Array, void, void> {
  const cursor = createByteCursor(raw);
  const chain = form.seed === undefined ? undefined : createChunkChain(form.seed);
  const account = createAccount(form.decodedLength, chain !== undefined);
  try {
    for (let chunks = 1; ; chunks += 1) {
      if (chunks % CHUNKS_PER_TURN === 0) await nextSlice();
      const { size, signature } = parseChunkHeader(await cursor.line(MAX_HEADER), chain !== undefined);
      account.add(size);
      yield* content(cursor, size, chain);
      chain?.endChunk(signature);
      if (size === 0) break;
      await expectEmptyLine(cursor);
    }
    account.close();
    await readEnd(cursor, form, chain, trailers);
  } finally {
    await cursor.close();
  }
}

/** The bytes of one chunk, as they come. */
async function* content(cursor: ByteCursor, size: number, chain: ChunkChain | undefined): AsyncGenerator<Uint8Array, void, void> {
  let left = size;
  while (left > 0) {
    const run = await cursor.take(left);
    if (run === undefined) throw incomplete();
    chain?.update(run);
    left -= run.length;
    yield run;
  }
}

/** Keeps S3's rules on sizes. */
function createAccount(decodedLength: number, signed: boolean): { add(size: number): void; close(): void } {
  let received = 0;
  let chunks = 0;
  let short = false;
  return {
    add(size) {
      if (size === 0) return;
      chunks += 1;
      if (signed && short) throw tooSmall(chunks - 1);
      short = size < MIN_SIGNED_CHUNK;
      received += size;
      if (received > decodedLength)
        throw new ArtefactError(
          'InvalidRequest',
          `The body has more bytes than x-amz-decoded-content-length announces (${decodedLength}).`,
        );
    },
    close() {
      if (received < decodedLength) throw incomplete();
    },
  };
}

function tooSmall(chunk: number): ArtefactError {
  return new ArtefactError('InvalidRequest', `Only the last chunk is allowed to have a size less than ${MIN_SIGNED_CHUNK} bytes`, {
    details: { s3Code: 'InvalidChunkSizeError', chunk },
  });
}

function parseChunkHeader(line: string | undefined, signed: boolean): { size: number; signature: string } {
  if (line === undefined) throw incomplete();
  const match = HEADER.exec(line);
  if (match === null || (match[2] === undefined) === signed) {
    const shape = signed ? '<hex size>;chunk-signature=<64 hex digits>' : '<hex size>';
    throw new ArtefactError('MalformedBody', `A chunk of the aws-chunked body must begin with ${shape}.`);
  }
  return { size: Number.parseInt(match[1] as string, 16), signature: match[2] ?? '' };
}

async function readEnd(cursor: ByteCursor, form: ChunkedForm, chain: ChunkChain | undefined, trailers: Map<string, string>): Promise<void> {
  if (form.announced !== undefined) {
    for (const [name, value] of await readTrailers(cursor, form.announced, chain)) trailers.set(name, value);
    return;
  }
  await expectEmptyLine(cursor);
  if ((await cursor.take(1)) !== undefined) throw new ArtefactError('MalformedBody', 'The body goes on after the end of its last chunk.');
}

async function expectEmptyLine(cursor: ByteCursor): Promise<void> {
  const line = await cursor.line(MAX_HEADER);
  if (line === undefined) throw incomplete();
  if (line !== '') throw new ArtefactError('MalformedBody', 'A chunk of the aws-chunked body is longer than its size says.');
}
