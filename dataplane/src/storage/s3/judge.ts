/** Tells from what stands there now whether a write was made whose answer was lost. */
import { isGone, type Body, type Gone, type Live } from './body.ts';
import type { Standing } from './recordObjects.ts';

/** What a write was to replace: nothing at all, or just this. */
export type Expected = { readonly nonce: string; readonly etag: string } | undefined;

/**
 * - `made`: it was made (others may have written since). `lost`: it was not, and cannot be any more.
 * - `open`: what it was to replace still stands; it may be made again.
 * - `unknown`: so many have written since that nobody remembers.
 */
export type Verdict = 'made' | 'lost' | 'open' | 'unknown';

/** Judges the write with this nonce. `answered`: no attempt of it is without an answer. */
export function judge(nonce: string, expected: Expected, standing: Standing | undefined, answered: boolean): Verdict {
  if (standing === undefined) return expected === undefined ? 'open' : 'lost';
  const { body, etag } = standing;
  if (body.nonce === nonce || body.past.includes(nonce)) return 'made';
  if (expected?.etag === etag) return 'open';
  if (answered) return 'lost';
  // The memory of what stands there reaches back to before the write, and does not name it.
  const reachesBack = expected === undefined ? body.cut !== true : body.past.includes(expected.nonce);
  return reachesBack ? 'lost' : 'unknown';
}

/** A tombstone that is being removed: nobody may write over it, or the removal would take the new record with it. */
export function isSealed(standing: Standing | undefined): standing is Standing & { readonly body: Body & Gone } {
  return standing !== undefined && isGone(standing.body) && standing.body.gone === 'sealed';
}

export function isLive(standing: Standing | undefined): standing is Standing & { readonly body: Body & Live } {
  return standing !== undefined && !isGone(standing.body);
}
