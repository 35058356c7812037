/**
 * What stands in a record's object. Every write has a nonce of its own and names those before it, so that whoever lost an
 * answer on the way can read whether its write was made, also when others have written since.
 */
import { randomBytes } from 'node:crypto';
import type { Json } from '../contract.ts';

/** How many writes before itself a body remembers. */
const REMEMBERED = 16;

/** What all bodies have. */
interface Written {
  readonly key: string;
  readonly nonce: string;
  /** Nonces of the writes before it, the latest first. */
  readonly past: readonly string[];
  /** True when there were more than `past` names. */
  readonly cut?: true;
}

/** A record's object: a value, or the tombstone of a deleted record; a sealed tombstone is being removed. */
export type Body = Written & ({ readonly value: Json } | { readonly gone: 'deleted' | 'sealed' });

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

export function isGone(body: Body): body is Body & { readonly gone: 'deleted' | 'sealed' } {
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
  let parsed: Partial<Written> & { readonly value?: Json; readonly gone?: string };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const sound = typeof parsed.key === 'string' && typeof parsed.nonce === 'string' && isListOfText(parsed.past);
  const states = Number('value' in parsed) + Number(parsed.gone === 'deleted' || parsed.gone === 'sealed');
  return sound && states === 1 ? (parsed as Body) : undefined;
}

function isListOfText(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === 'string');
}
