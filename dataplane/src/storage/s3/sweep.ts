/**
 * Removes tombstones that are old enough that no request under way can know of them any more.
 *
 * No conditional deletes are used, since not every server heeds their conditions. Instead a tombstone is sealed first, by a
 * conditional write: nobody writes over a seal, so the delete that follows takes nothing but the seal. Should that delete be lost
 * on the way, the seal may be written over once it is so old that servers refuse the delete: its signature holds for 15 minutes.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Failure } from './failure.ts';
import type { Grave, Graves } from './graves.ts';
import { isLive, isSealed } from './judge.ts';
import type { Objects } from './objects.ts';
import { RECORDS, type RecordObjects, type Standing } from './recordObjects.ts';
import { replace, type Replacing } from './replace.ts';

export interface Sweeping extends Replacing {
  readonly objects: Objects;
  readonly records: RecordObjects;
  readonly graves: Graves;
  /** A tombstone stands this long, in ms. */
  readonly tombstoneMs: number;
  readonly sealMs: number;
}

const PAGE = 1000;
const EVERY_MS = 5 * 60_000;

/** Sweeps now and then until it is stopped. Several processes may: each step is safe to be made twice. What fails is tried again. */
export function startSweeping(sweepAll: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stopping = new AbortController();
  const done = sweepOn(sweepAll, stopping.signal);
  return async () => {
    stopping.abort();
    await done;
  };
}

async function sweepOn(sweepAll: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(randomInt(EVERY_MS / 2, EVERY_MS * 1.5), undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    await sweepAll(signal).catch(() => undefined);
  }
}

/**
 * One round. A tombstone is removed in one round and its grave filled in the next, so that whoever listed names before the one
 * and graves after the other still finds the grave.
 */
export async function sweep(room: Sweeping, signal?: AbortSignal): Promise<{ readonly removed: number; readonly filled: number }> {
  let removed = 0;
  let filled = 0;
  for (let token: string | undefined; ;) {
    const page = await room.graves.list({ prefix: '', limit: PAGE, ...(token !== undefined && { token }) });
    for (const grave of page.graves) {
      if (signal?.aborted === true) return { removed, filled };
      if (Date.now() - grave.dug < room.tombstoneMs) continue;
      const did = await tend(room, grave);
      if (did === 'removed') removed += 1;
      if (did === 'filled') filled += 1;
    }
    token = page.token;
    if (token === undefined) return { removed, filled };
  }
}

async function tend(room: Sweeping, grave: Grave): Promise<'removed' | 'filled' | 'left'> {
  const standing = await room.records.readListed(grave.record, '');
  if (standing === undefined || isLive(standing) || !isIn(grave, standing)) {
    await room.graves.fill(grave);
    return 'filled';
  }
  // Somebody else may be about to remove it.
  if (isSealed(standing) && Date.now() - standing.body.at < room.sealMs) return 'left';
  return (await remove(room, grave, standing)) ? 'removed' : 'left';
}

function isIn(grave: Grave, standing: Standing): boolean {
  return standing.body.nonce === grave.nonce || (isSealed(standing) && standing.body.past[0] === grave.nonce);
}

async function remove(room: Sweeping, grave: Grave, standing: Standing): Promise<boolean> {
  const { key, past, cut } = standing.body;
  // A seal that was left behind is sealed anew as the same tombstone's, so that its grave still knows it.
  const over = isSealed(standing)
    ? { nonce: grave.nonce, past: past.slice(1), etag: standing.etag }
    : { nonce: grave.nonce, past, etag: standing.etag };
  const outcome = await replace(room, { key, content: { gone: 'sealed', at: Date.now() }, expected: { ...over, ...(cut && { cut }) } });
  if (!('made' in outcome)) return false;
  try {
    // Made once: a repetition could be under way for longer than the seal is respected.
    await room.objects.delete(RECORDS + grave.record);
    return true;
  } catch (thrown) {
    if (thrown instanceof S3Failure) return false;
    throw thrown;
  }
}
