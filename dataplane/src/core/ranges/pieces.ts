/** The pieces that a session of ranges is stored in, and how they make up the whole. */
import { ArtefactError } from '../../errors.ts';
import type { BlobId, Entry, Json, Store } from '../../storage/contract.ts';
import type { Segment } from '../digests.ts';
import { ID_LENGTH } from '../ids.ts';
import { keys } from '../keys.ts';
import { segmentsOfRuns, type StoredRun } from '../runs.ts';
import { scanAll } from '../scan.ts';
import type { Span } from './contract.ts';

/** A run of bytes as its record has it; the id is the end of the record's key. */
export interface Piece {
  readonly id: string;
  readonly offset: number;
  /** Never 0. */
  readonly size: number;
  readonly blob: BlobId;
  /** Of its bytes as they came, in base64; pieces of earlier releases have none. */
  readonly crc32?: string;
  /** Sequential: the piece before it. What is not on the way back from the session's last piece was never acknowledged. */
  readonly previous?: string;
}

const MIB = 1024 * 1024;

/** The least that a full piece holds, in bytes: a crash costs no more than that of what was not acknowledged. */
const LEAST_PIECE = 16 * MIB;

/** Pieces of one artefact; a session of more is refused, since its record would slow every read. */
export const MAX_PIECES = 20_000;

/** Pieces from this size on are never put together with others, in bytes. */
export const LARGE = 8 * MIB;

/** The pieces at the end of a session that may be put together with the next ones. */
export function runAfter(run: readonly Piece[], added: readonly Piece[]): readonly Piece[] {
  const all = [...run, ...added];
  return all.slice(all.findLastIndex(({ size }) => size >= LARGE) + 1);
}

/** How long a piece at `offset` may get: large uploads have larger ones, so that 5 TiB are some 20,000. */
export function pieceSize(offset: number): number {
  return Math.max(LEAST_PIECE, Math.floor(offset / 4096 / MIB) * MIB);
}

export function pieceValue({ offset, size, blob, crc32, previous }: Omit<Piece, 'id'>): Json {
  return { offset, size, blob, ...(crc32 === undefined ? {} : { crc32 }), ...(previous === undefined ? {} : { previous }) };
}

function asPiece(entry: Entry): Piece {
  return { id: entry.key.slice(-ID_LENGTH), ...(entry.value as unknown as Omit<Piece, 'id'>) };
}

/** Every piece by offset, oldest first within one. Throws `InvalidRequest` (reason `pieces`) beyond twice the number that can be named. */
export async function allPieces(store: Store, uploadId: string): Promise<readonly Piece[]> {
  const pieces: Piece[] = [];
  for await (const entry of scanAll(store, keys.parts(uploadId))) {
    pieces.push(asPiece(entry));
    if (pieces.length > 2 * MAX_PIECES) throw tooMany();
  }
  return pieces;
}

/** The newest piece that begins at `offset`. */
export async function newestAt(store: Store, uploadId: string, offset: number): Promise<Piece | undefined> {
  let newest: Piece | undefined;
  for await (const entry of scanAll(store, keys.pieces(uploadId, offset))) newest = asPiece(entry);
  return newest;
}

/** The pieces from the first to `tail`, each of which names the one before it. */
export function chain(pieces: readonly Piece[], tail: string | undefined): readonly Piece[] {
  const byId = new Map(pieces.map((piece) => [piece.id, piece]));
  const found: Piece[] = [];
  for (let id = tail; id !== undefined;) {
    const piece = byId.get(id);
    if (piece === undefined) throw new ArtefactError('Internal', 'A stored piece of this upload is missing.');
    found.push(piece);
    id = piece.previous;
  }
  return found.reverse();
}

/**
 * Pieces that follow each other from `start` to just `end`, the newest that leads there at each step. Undefined when there is no such
 * way: something is missing, or pieces overlap without meeting.
 */
export function tile(pieces: readonly Piece[], start: number, end: number): readonly Piece[] | undefined {
  const byOffset = Map.groupBy(pieces, ({ offset }) => offset);
  const leads = new Map<number, Piece | undefined>([[end, undefined]]);
  for (const offset of [...byOffset.keys()].sort((a, b) => b - a)) {
    const next = byOffset.get(offset)!.findLast((piece) => offset < end && leads.has(offset + piece.size));
    if (next !== undefined) leads.set(offset, next);
  }
  if (!leads.has(start)) return undefined;
  const tiling: Piece[] = [];
  for (let at = start; at < end;) {
    const piece = leads.get(at)!;
    tiling.push(piece);
    at += piece.size;
  }
  return tiling;
}

/** What is there, merged. */
export function covered(pieces: readonly Piece[]): readonly Span[] {
  const spans: [number, number][] = [];
  for (const { offset, size } of pieces) {
    const last = spans.at(-1);
    if (last !== undefined && offset <= last[1]) last[1] = Math.max(last[1], offset + size);
    else spans.push([offset, offset + size]);
  }
  return spans;
}

/** What is not there of `[0, length)`. */
export function missing(spans: readonly Span[], length: number): readonly Span[] {
  const gaps: Span[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (start > at) gaps.push([at, Math.min(start, length)]);
    at = Math.max(at, end);
    if (at >= length) break;
  }
  if (at < length) gaps.push([at, length]);
  return gaps;
}

/** Pieces that reach into the next one's bytes, as spans of the bytes that both have. */
export function overlaps(pieces: readonly Piece[]): readonly Span[] {
  const found: [number, number][] = [];
  let end = 0;
  for (const { offset, size } of pieces) {
    if (offset < end) found.push([offset, Math.min(end, offset + size)]);
    end = Math.max(end, offset + size);
  }
  return found;
}

/** A piece as it must be found when it is read again. */
export function runOf({ blob, size, crc32 }: Pick<Piece, 'blob' | 'size' | 'crc32'>): StoredRun {
  return { blob, size, ...(crc32 === undefined ? {} : { check: { algorithm: 'CRC32', value: crc32 } }) };
}

/** As segments of an artefact. Throws `InvalidRequest` (reason `pieces`). */
export function segmentsOf(pieces: readonly Piece[]): readonly Segment[] {
  if (pieces.length > MAX_PIECES) throw tooMany();
  return segmentsOfRuns(pieces);
}

/** The refusal of an upload in too many pieces. */
export function tooMany(): ArtefactError {
  return new ArtefactError(
    'InvalidRequest',
    `The upload came in more than ${MAX_PIECES} pieces: start anew, and send more bytes in each request.`,
    {
      details: { reason: 'pieces', maxPieces: MAX_PIECES },
    },
  );
}
