/** Opaque cursors: where a listing goes on, tied to the question that they came from. */
import { createHash } from 'node:crypto';
import { ArtefactError } from '../../errors.ts';

/** What a cursor may hold: a few positions. */
export type Position = readonly string[];

/** The longest cursor that is read, in characters. */
export const MAX_CURSOR = 8192;

/** Makes a cursor; `question` is whatever must be the same when it comes back (the filters, not the page size). */
export function makeCursor(question: unknown, position: Position): string {
  return Buffer.from(JSON.stringify([fingerprint(question), ...position])).toString('base64url');
}

/** Reads a cursor of `length` positions back. Throws `InvalidArgument` for one that is broken or was given for another question. */
export function readCursor(question: unknown, cursor: string, length: number): Position {
  const held = parse(cursor);
  if (!Array.isArray(held) || held.length !== length + 1 || !held.every((part) => typeof part === 'string')) throw badCursor();
  const [asked, ...position] = held;
  if (asked !== fingerprint(question)) throw badCursor();
  return position;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function fingerprint(question: unknown): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 12);
}

function badCursor(): ArtefactError {
  return new ArtefactError(
    'InvalidArgument',
    "The 'cursor' does not belong to this question: repeat the filters it was given for, or begin without it.",
    {
      details: { field: 'cursor' },
    },
  );
}
