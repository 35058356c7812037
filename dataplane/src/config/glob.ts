/**
 * Globs over names: `**` is any run of characters, `*` any run without `/`, `?` one character but `/`; everything else is
 * itself. Matching walks the name once with the set of reachable pattern places, so no pattern can make it slow.
 */

type Token = { readonly kind: 'text'; readonly character: string } | { readonly kind: 'one' | 'segment' | 'all' };

const CACHE_SIZE = 2000;
const cache = new Map<string, readonly Token[]>();

/** True when the whole name matches. Time is proportional to name × glob. */
export function matchesGlob(glob: string, name: string): boolean {
  const tokens = compiled(glob);
  let reachable = close(new Set([0]), tokens);
  for (const character of name) {
    const next = new Set<number>();
    for (const place of reachable) step(tokens, place, { character, next });
    if (next.size === 0) return false;
    reachable = close(next, tokens);
  }
  return reachable.has(tokens.length);
}

/** True when any of the globs matches. */
export function matchesAnyGlob(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name));
}

/** The text before the first wildcard: every matching name starts with it. */
export function literalPrefix(glob: string): string {
  const wild = glob.search(/[*?]/);
  return wild < 0 ? glob : glob.slice(0, wild);
}

function step(tokens: readonly Token[], place: number, to: { readonly character: string; readonly next: Set<number> }): void {
  const token = tokens[place];
  if (token === undefined) return;
  if (token.kind === 'text') {
    if (token.character === to.character) to.next.add(place + 1);
    return;
  }
  if (token.kind !== 'all' && to.character === '/') return;
  to.next.add(token.kind === 'one' ? place + 1 : place);
}

/** Runs may be empty: what stands behind one is reachable too. */
function close(places: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const place of places) {
    const kind = tokens[place]?.kind;
    if (kind === 'segment' || kind === 'all') places.add(place + 1);
  }
  return places;
}

function compiled(glob: string): readonly Token[] {
  const known = cache.get(glob);
  if (known !== undefined) return known;
  const tokens = compile(glob);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(glob, tokens);
  return tokens;
}

function compile(glob: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const part of glob.match(/\*\*+|\*|\?|[^*?]/gu) ?? []) {
    if (part === '?') tokens.push({ kind: 'one' });
    else if (part === '*') tokens.push({ kind: 'segment' });
    else if (part.startsWith('**')) tokens.push({ kind: 'all' });
    else tokens.push({ kind: 'text', character: part });
  }
  return tokens;
}
