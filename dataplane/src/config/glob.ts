/** The one glob language of names (see `Pattern`), for those who match now and then: prepared globs are kept. */
import { compileGlob, type Pattern } from '@bonded/crds';

const CACHE_SIZE = 2000;
const cache = new Map<string, Pattern>();

/** True when the whole name matches. Time is at most proportional to name × glob. */
export function matchesGlob(glob: string, name: string): boolean {
  return prepared(glob).matches(name);
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

function prepared(glob: string): Pattern {
  const known = cache.get(glob);
  if (known !== undefined) return known;
  const pattern = compileGlob(glob);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(glob, pattern);
  return pattern;
}
