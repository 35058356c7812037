/** Judges the bytes of a digest. Nothing is said of a digest that somebody changes meanwhile, nor after one reading alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError, asArtefactError } from '../../errors.ts';
import type { Digest } from '../digest.ts';
import type { DigestRecord, FoundDigest } from '../digests.ts';
import { findDigest } from '../digests.ts';
import { heldSegments } from '../quarantine.ts';
import type { Damage, Fault } from './contract.ts';
import { located } from './locate.ts';
import type { Reading } from './read.ts';
import { faultIn } from './read.ts';

/** `found` is the record that the verdict is about. */
export type Verdict =
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'sound'; readonly found: FoundDigest }
  | { readonly outcome: 'unsteady'; readonly fault: Damage }
  | { readonly outcome: 'damaged'; readonly found: FoundDigest; readonly fault: Damage }
  | { readonly outcome: 'unreadable'; readonly fault: Fault };

/** Changes of the record that are followed; more than that many in a row is no race. */
const CHANGES = 5;

/**
 * Reads a digest's bytes, and once more when they are wrong. Bytes that cannot be read are tried again after each of `retries` (ms).
 * Rejects when aborted.
 */
export async function examine(reading: Reading, digest: Digest, first: FoundDigest, retries: readonly number[]): Promise<Verdict> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await judge(reading, digest, first);
    } catch (thrown) {
      reading.signal.throwIfAborted();
      const pause = retries[failures];
      if (pause === undefined) return { outcome: 'unreadable', fault: unreadable(thrown) };
      await sleep(pause, undefined, { signal: reading.signal, ref: false });
    }
  }
}

function unreadable(thrown: unknown): Fault {
  return { kind: 'unreadable', detail: asArtefactError(thrown).message, where: [] };
}

async function judge(reading: Reading, digest: Digest, first: FoundDigest): Promise<Verdict> {
  let found = first;
  for (let changes = 0; changes < CHANGES; changes += 1) {
    const fault = await faultIn(reading, digest, heldSegments(found.record));
    if (fault === undefined) return { outcome: 'sound', found };
    const now = await findDigest(reading.store, digest);
    if (now === undefined) return { outcome: 'gone' };
    if (isSame(now.record, found.record)) return confirmed(reading, digest, now, fault);
    found = now;
  }
  throw new ArtefactError('ConcurrentChange', 'The digest is changed all the time.');
}

/** Reads once more: a disk that was read wrongly once may be all right. */
async function confirmed(reading: Reading, digest: Digest, found: FoundDigest, first: Damage): Promise<Verdict> {
  const segments = heldSegments(found.record);
  const fault = await faultIn(reading, digest, segments);
  if (fault === undefined) return { outcome: 'unsteady', fault: first };
  return { outcome: 'damaged', found, fault: await located(reading, digest, segments, fault) };
}

/** The same bytes, in the same standing; a condemnation may come and go. */
function isSame(one: DigestRecord, other: DigestRecord): boolean {
  const [left, right] = [heldSegments(one), heldSegments(other)];
  if ((one.quarantined === undefined) !== (other.quarantined === undefined) || left.length !== right.length) return false;
  return left.every(([blob], index) => blob === right[index]?.[0]);
}
