/**
 * Claims: where batches are not transactions, a session is taken in its own record before anything is named from it. Else one request
 * could end it, and remove its bytes, while another is naming them; or two could name them twice.
 *
 * A claim holds against other completions for ten seconds, after which its process is taken for dead (then they may both name the same
 * bytes, which harms nothing), and against whoever would remove the bytes for the grace time, as intents do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ArtefactError, isError } from '../errors.ts';
import type { Json, Revision, Store } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';

/** In the record of a session that is being completed. `over`: its completion ended, and nobody knows how. */
export interface Claim {
  /** Ms since the epoch. */
  readonly at: number;
  readonly over?: true;
}

/** A session as it was read. */
export interface Claimable {
  readonly key: string;
  readonly value: { readonly claim?: Claim };
  readonly revision: Revision;
}

export interface Claimed {
  /** By which the session is to be ended. */
  readonly revision: Revision;
  /** The completion failed with this: the session is free again, unless something may have been named after all. */
  release(thrown: unknown): Promise<void>;
}

/** A completion that lives claims nothing for longer, in ms. */
const COMPLETING_MS = 10_000;
const PAUSE_MS = 50;

/**
 * Takes a session for a completion. While another completes it, waits for that one; when that has ended it, answers undefined, for there
 * is nothing left to complete. Throws `ConcurrentChange` when the session was changed since it was read.
 */
export async function claimSession(context: CoreContext, store: Store, session: Claimable): Promise<Claimed | undefined> {
  if (store.records.transactional === true) return { revision: session.revision, release: async () => undefined };
  const waiting = beginWaiting(context);
  for (let read = session; ;) {
    const claimed = isBeingCompleted(context, read.value) ? undefined : await claim(context, store, read);
    if (claimed !== undefined) return claimed;
    const entry = await store.records.get(session.key);
    if (entry === undefined) return undefined;
    read = { key: session.key, value: entry.value as Claimable['value'], revision: entry.revision };
    if (!isDeepStrictEqual(withoutClaim(read), withoutClaim(session))) throw inTheWay();
    if (isBeingCompleted(context, read.value)) await waiting.pause();
  }
}

async function claim(context: CoreContext, store: Store, { key, value, revision }: Claimable): Promise<Claimed | undefined> {
  const claimed = await write(store, key, { value: { ...value, claim: { at: context.now() } }, revision });
  return claimed === undefined
    ? undefined
    : { revision: claimed, release: (thrown) => release(context, store, { key, value, revision: claimed }, thrown) };
}

function withoutClaim({ value: { claim: _claim, ...rest } }: Claimable): unknown {
  return JSON.parse(JSON.stringify(rest));
}

async function release(context: CoreContext, store: Store, session: Claimable, thrown: unknown): Promise<void> {
  const { claim: _claim, ...free } = session.value;
  const unknown = isError(thrown, 'Unavailable', 'SlowDown');
  const value = unknown ? { ...free, claim: { at: context.now(), over: true } } : free;
  // When it fails, the claim runs out.
  await write(store, session.key, { value, revision: session.revision }).catch(() => undefined);
}

/** The new revision; undefined when somebody else changed it. */
async function write(
  store: Store,
  key: string,
  { value, revision }: { readonly value: object; readonly revision: Revision },
): Promise<Revision | undefined> {
  try {
    const [written] = await store.records.write([{ put: key, value: value as Json, ifRevision: revision }]);
    return written;
  } catch (error) {
    if (!isError(error, 'Conflict')) throw error;
    return undefined;
  }
}

function isBeingCompleted(context: CoreContext, { claim }: Claimable['value']): boolean {
  return claim !== undefined && claim.over !== true && context.now() - claim.at < COMPLETING_MS;
}

/** True while a completion may still name the session's bytes: nobody may end it. */
export function isClaimed(context: CoreContext, { claim }: Claimable['value']): boolean {
  return claim !== undefined && context.now() - claim.at < context.terms.grace;
}

export interface Waiting {
  /** Throws `ConcurrentChange` when it has taken long. */
  pause(): Promise<void>;
}

/** Waits for another request to come to its end. */
export function beginWaiting({ terms }: CoreContext): Waiting {
  const until = performance.now() + terms.wait;
  return {
    async pause() {
      if (performance.now() >= until) throw inTheWay();
      await sleep(PAUSE_MS);
    },
  };
}

function inTheWay(): ArtefactError {
  return new ArtefactError('ConcurrentChange', 'Another request is completing or changing this upload. Please try again.');
}
