/**
 * What stands in a record's object. Every write has a nonce of its own and names those before it, so that whoever lost an
 * answer on the way can read whether its write was made, also when others have written since.
 */
import { randomBytes } from 'node:crypto';
import type { Json } from '../contract.ts';

/** How many writes before itself a body remembers: enough for the crowd that may write one name while an answer is waited for. */
const REMEMBERED = 64;

/** What all bodies have. */
interface Written {
  readonly key: string;
  readonly nonce: string;
  /** Nonces of the writes before it, the latest first. */
  readonly past: readonly string[];
  /** True when there were more than `past` names. */
  readonly cut?: true;
}

/** The tombstone of a deleted record; a sealed one is being removed. `at`: when it was made, in ms since the epoch. */
export interface Gone {
  readonly gone: 'deleted' | 'sealed';
  readonly at: number;
}

export interface Live {
  readonly value: Json;
}

/** What a record's object says. */
export type Content = Live | Gone;

/** A record's object. */
export type Body = Written & Content;

/** What a write replaces: nothing, or a body of which at least the nonce is known. */
export type Replaced = { readonly nonce: string; readonly past?: readonly string[]; readonly cut?: true } | undefined;

/** A nonce that was never used. */
export function newNonce(): string {
  return randomBytes(12).toString('base64url');
}

/** The memory of a write over `replaced`. */
export function pastOf(replaced: Replaced): Pick<Written, 'past' | 'cut'> {
  if (replaced === undefined) return { past: [] };
  const all = [replaced.nonce, ...(replaced.past ?? [])];
  const cut = replaced.past === undefined || replaced.cut === true || all.length > REMEMBERED;
  return { past: all.slice(0, REMEMBERED), ...(cut && { cut: true as const }) };
}

export function isGone(body: Body): body is Written & Gone {
  return 'gone' in body;
}

/** The body as text. Its length is even for a record and odd for a tombstone, so that a listing, which shows sizes, tells them apart. */
export function encodeBody(body: Body): Uint8Array {
  const text = JSON.stringify(body);
  const odd = Buffer.byteLength(text) % 2 === 1;
  return Buffer.from(odd === isGone(body) ? text : `${text} `);
}

/** True for the size of a tombstone. */
export function isGoneSize(size: number): boolean {
  return size % 2 === 1;
}

/** The body of `key`, or undefined when the text is none: another program wrote it, or it is of a form that is not known here. */
export function decodeBody(text: string): Body | undefined {
  const parsed = parse(text) as (Partial<Written & Gone> & { readonly value?: Json }) | null | undefined;
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const sound = typeof parsed.key === 'string' && typeof parsed.nonce === 'string' && isListOfText(parsed.past);
  const gone = ['deleted', 'sealed'].includes(String(parsed.gone)) && typeof parsed.at === 'number';
  const states = Number('value' in parsed) + Number(gone);
  return sound && states === 1 ? (parsed as Body) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isListOfText(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === 'string');
}
