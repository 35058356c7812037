/** Time-ordered ids: 10 characters of time, 16 of chance, in Crockford's base 32, so that their byte order is their age. */
import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const CHANCE_CHARACTERS = 16;

/** Characters of an id. */
export const ID_LENGTH = 26;

const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** The last id of this process, so that ids made within one millisecond are in the order they were made. */
let last = '';

/** A new id of the present moment, or of `after`'s moment plus 1 ms when that is later (clocks jump; versions of a name must not). */
export function newId(after?: string, now: number = Date.now()): string {
  const floor = after === undefined ? 0 : timeOfId(after) + 1;
  if (floor > now) return timePrefix(floor) + chance();
  const time = timePrefix(now);
  last = last.startsWith(time) ? following(last) : time + chance();
  return last;
}

/** Random bytes for this many ids are asked for at once: asking costs more than what is answered. */
const IDS_AHEAD = 128;

let pool = Buffer.alloc(0);
let drawn = 0;

function chance(): string {
  if (drawn === pool.length) {
    pool = randomBytes(IDS_AHEAD * CHANCE_CHARACTERS);
    drawn = 0;
  }
  let text = '';
  for (const end = drawn + CHANCE_CHARACTERS; drawn < end; drawn += 1) text += ALPHABET[pool[drawn]! & 31]!;
  return text;
}

/** The next id after this one, of the same moment: its last digit counted up, carrying to the left. */
export function following(id: string): string {
  const kept = id.replace(/Z+$/, '');
  const digit = ALPHABET.indexOf(kept.at(-1)!);
  return (kept.slice(0, -1) + ALPHABET[digit + 1]!).padEnd(id.length, '0');
}

/** The time part of ids made at `ms` since the epoch: every id made earlier is less than it. */
export function timePrefix(ms: number): string {
  let text = '';
  for (let rest = ms; text.length < TIME_CHARACTERS; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32]! + text;
  return text;
}

/** When an id was made, in ms since the epoch. */
export function timeOfId(id: string): number {
  let ms = 0;
  for (const character of id.slice(0, TIME_CHARACTERS)) ms = ms * 32 + ALPHABET.indexOf(character);
  return ms;
}

/** The id with every digit complemented: newest first in byte order. Twice gives the id back. */
export function invertId(id: string): string {
  let text = '';
  for (const character of id) text += ALPHABET[31 - ALPHABET.indexOf(character)]!;
  return text;
}

/** True for the text of an id; what clients send as one is checked with it before it becomes part of a key. */
export function isId(text: string): boolean {
  return ID.test(text);
}
