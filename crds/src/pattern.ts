/**
 * Patterns over names, in two dialects. Both are matched in one pass over the text, whatever the pattern: the work is at
 * most (length of text) × (length of pattern), so that no pattern can hold a process up.
 *
 * - Globs (AccessBinding names, Bucket immutability, search): `**` matches any run of characters, `*` any run without `/`,
 *   `?` one character but `/`; `**` followed by `/`, where a segment begins, also matches nothing, so that `**` + `/x`
 *   finds `x` at the top too. There is no escape: every other character stands for itself.
 * - Wildcards (policy documents): `*` matches any run of characters, `?` any one.
 */

/** A prepared pattern. */
export interface Pattern {
  /** True when the pattern matches the whole of `text`. */
  matches(text: string): boolean;
  /** True only when every text that begins with `prefix` matches. */
  covers(prefix: string): boolean;
  /** True when some text that begins with `prefix` matches. */
  reaches(prefix: string): boolean;
}

/** A piece of a wildcard pattern: text with wildcards, or text that stands for itself. */
export type WildcardPiece = string | { readonly literal: string };

const SLASH = 0x2f;
const ONE = -1; // any one character
const ONE_INSIDE = -2; // any one character but `/`
const RUN = -3; // any run
const RUN_INSIDE = -4; // any run without `/`
const SEGMENTS = -5; // nothing, or any run that ends with `/`: stands before SEGMENTS_BODY
const SEGMENTS_BODY = -6;

/** A code point that stands for itself, or one of the constants above. */
type Token = number;

/** Prepares a glob. */
export function compileGlob(glob: string): Pattern {
  const star = glob.indexOf('*');
  const rest = star < 0 ? '' : glob.slice(star);
  if (star < 0 && !glob.includes('?')) return literalPattern(glob);
  if (rest === '**' && !glob.slice(0, star).includes('?')) return prefixPattern(glob.slice(0, star));
  return machine(globTokens(glob));
}

/** Prepares a wildcard pattern of one or more pieces. */
export function compileWildcard(pieces: string | readonly WildcardPiece[]): Pattern {
  const tokens = (typeof pieces === 'string' ? [pieces] : pieces).flatMap(wildcardTokens);
  const run = tokens.findIndex((token) => token < 0);
  if (run < 0) return literalPattern(String.fromCodePoint(...tokens));
  if (run === tokens.length - 1 && tokens[run] === RUN) return prefixPattern(String.fromCodePoint(...tokens.slice(0, run)));
  return machine(tokens);
}

function globTokens(glob: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length;) {
    const segmentBegins = at === 0 || glob[at - 1] === '/';
    if (segmentBegins && glob.startsWith('**/', at)) {
      tokens.push(SEGMENTS, SEGMENTS_BODY);
      at += 3;
    } else if (glob.startsWith('**', at)) {
      tokens.push(RUN);
      at += 2;
    } else {
      const point = glob.codePointAt(at) as number;
      tokens.push(glob[at] === '*' ? RUN_INSIDE : glob[at] === '?' ? ONE_INSIDE : point);
      at += point > 0xffff ? 2 : 1;
    }
  }
  return tokens;
}

function wildcardTokens(piece: WildcardPiece): readonly Token[] {
  if (typeof piece !== 'string') return codePoints(piece.literal);
  return codePoints(piece).map((point) => (point === 0x2a ? RUN : point === 0x3f ? ONE : point));
}

function codePoints(text: string): readonly number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

function literalPattern(literal: string): Pattern {
  return { matches: (text) => text === literal, covers: () => false, reaches: (prefix) => literal.startsWith(prefix) };
}

function prefixPattern(head: string): Pattern {
  return {
    matches: (text) => text.startsWith(head),
    covers: (prefix) => prefix.startsWith(head),
    reaches: (prefix) => prefix.startsWith(head) || head.startsWith(prefix),
  };
}

/** A nondeterministic automaton: position i means that tokens before i are done. */
function machine(tokens: readonly Token[]): Pattern {
  const end = tokens.length;
  const everything = tokens.map((token, at) => token === RUN && tokens.slice(at).every(canBeEmpty));
  const after = (text: string): Uint8Array => run(tokens, text);
  // Nearly every name fails at one of the ends, which costs next to nothing.
  const head = String.fromCodePoint(...tokens.slice(0, Math.max(tokens.findIndex(isWild), 0)));
  const tail = String.fromCodePoint(...tokens.slice(tokens.findLastIndex(isWild) + 1));
  return {
    matches: (text) => text.startsWith(head) && text.endsWith(tail) && after(text)[end] === 1,
    covers: (prefix) => after(prefix).some((alive, at) => alive === 1 && everything[at] === true),
    reaches: (prefix) => after(prefix).includes(1),
  };
}

function isWild(token: Token): boolean {
  return token < 0;
}

function canBeEmpty(token: Token): boolean {
  return token === RUN || token === RUN_INSIDE;
}

/** The positions that are alive after `text`. */
function run(tokens: readonly Token[], text: string): Uint8Array {
  let alive = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  enter(tokens, alive, 0);
  for (const character of text) {
    next.fill(0);
    step(tokens, { alive, next, point: character.codePointAt(0) as number });
    [alive, next] = [next, alive];
    if (!alive.includes(1)) break;
  }
  return alive;
}

function step(tokens: readonly Token[], { alive, next, point }: { alive: Uint8Array; next: Uint8Array; point: number }): void {
  for (let at = 0; at < tokens.length; at += 1) {
    if (alive[at] !== 1) continue;
    const token = tokens[at] as Token;
    if (stays(token, point)) enter(tokens, next, at);
    if (passes(token, point)) enter(tokens, next, at + 1);
  }
}

/** The character may be one of several that the token takes. */
function stays(token: Token, point: number): boolean {
  return token === RUN || token === SEGMENTS_BODY || (token === RUN_INSIDE && point !== SLASH);
}

/** The character may be the last that the token takes. */
function passes(token: Token, point: number): boolean {
  if (token === ONE_INSIDE) return point !== SLASH;
  return token === point || token === ONE || (token === SEGMENTS_BODY && point === SLASH);
}

/** Makes a position alive, and those that are reached from it without a character. Each position is entered once per step. */
function enter(tokens: readonly Token[], positions: Uint8Array, from: number): void {
  for (let at = from; positions[at] !== 1; at += 1) {
    positions[at] = 1;
    const token = tokens[at];
    if (token === SEGMENTS) enter(tokens, positions, at + 2);
    else if (token !== RUN && token !== RUN_INSIDE) return;
  }
}
