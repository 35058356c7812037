/** One pass over all digests of a location, in the order of their keys, from where the last process stood. */
import type { Digest } from '../digest.ts';
import { digestHex, sha256Digest } from '../digest.ts';
import type { FoundDigest } from '../digests.ts';
import { asDigestRecord } from '../digests.ts';
import { keys } from '../keys.ts';
import { scanAll } from '../scan.ts';
import type { Pace } from './budget.ts';
import { paceOf } from './budget.ts';
import type { Examination } from './contract.ts';
import { forgetStale } from './findings.ts';
import type { Lease, PassState } from './lease.ts';
import type { Subject } from './one.ts';
import { examineOne, giveUpOn, speaksOfStorage } from './one.ts';
import type { Location, ScrubRoom } from './room.ts';
import { SCRUBBER } from './room.ts';
import { unlessConflict } from '../conflict.ts';

/** Records that are held at once: one of thousands of segments is large. */
const PAGE = 50;

/** So many digests in a row that are missing or unreadable are no bit rot: storage is gone, or the wrong one. */
const TROUBLES = 8;

/** Processes that may end at one digest before the pass leaves it out. */
const ENDS = 3;

/** What breaks a pass off: not this digest, storage itself cannot be read. */
class StorageGone extends Error {}

/** A pass while it goes on; whoever holds it writes `state` down from time to time. */
interface Running {
  readonly room: ScrubRoom;
  readonly place: Location;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  state: PassState;
  /** Digests in a row that were missing or unreadable. */
  troubles: number;
}

/**
 * Makes the pass, or what is left of it. `suspended`: storage cannot be read, and the digest that showed it comes first the next time.
 * Rejects when aborted, or when another process took the pass over.
 */
export async function makePass(
  room: ScrubRoom,
  place: Location,
  { lease, signal }: { readonly lease: Lease; readonly signal: AbortSignal },
): Promise<'finished' | 'suspended'> {
  const lost = new AbortController();
  const stop = AbortSignal.any([signal, lost.signal]);
  const running: Running = { room, place, pace: paceOf(room.budget), signal: stop, state: resumed(room, lease), troubles: 0 };
  const { last } = lease.state;
  const stateNow = (): Parameters<Lease['save']>[0] => ({ ...(last === undefined ? {} : { last }), pass: running.state });
  const beat = setInterval(() => void lease.save(stateNow()).catch((error: unknown) => lost.abort(error)), room.terms.save);
  beat.unref();
  try {
    await walk(running);
  } catch (thrown) {
    const isGone = thrown instanceof StorageGone;
    // A process that only rests has not ended at this digest.
    if (isGone) running.state = { ...running.state, at: undefined };
    await lease.release(stateNow()).catch(unlessConflict);
    if (!isGone) throw thrown;
    room.observer.suspended(place.location, thrown.cause);
    return 'suspended';
  } finally {
    clearInterval(beat);
  }
  await finish(running, lease);
  return 'finished';
}

/** A process that ended at a digest is counted there: one that takes longer than processes live must not hold up the others for ever. */
function resumed({ context }: ScrubRoom, { state: { pass } }: Lease): PassState {
  if (pass === undefined) return { started: context.now(), digests: 0, bytes: 0, damaged: 0, unreadable: 0 };
  return pass.at === undefined ? pass : { ...pass, at: { ...pass.at, ended: pass.at.ended + 1 } };
}

async function walk(running: Running): Promise<void> {
  const { place, signal } = running;
  const { after, started } = running.state;
  const from = after === undefined ? undefined : keys.digest(sha256Digest(after));
  for await (const entry of scanAll(place.store, keys.digests, { after: from, signal, page: PAGE })) {
    const digest = sha256Digest(entry.key.slice(keys.digests.length));
    await running.pace.digests(1, signal);
    const examination = await lookAt(running, digest, { record: asDigestRecord(entry), revision: entry.revision });
    running.state = counted(running.state, digest, examination);
  }
  signal.throwIfAborted();
  await forgetStale(place, started, signal);
}

async function lookAt(running: Running, digest: Digest, found: FoundDigest): Promise<Examination | undefined> {
  const hex = digestHex(digest);
  const at = running.state.at?.hex === hex ? running.state.at : { hex, ended: 0 };
  running.state = { ...running.state, at };
  const { quarantined } = found.record;
  // Wrong bytes that are read rightly now came from something that is not to be trusted: somebody has to say so.
  if (quarantined !== undefined && quarantined.kind !== 'missing') return undefined;
  const subject = subjectOf(running, digest, quarantined !== undefined);
  if (at.ended >= ENDS) return giveUpOn(running.room, subject, found);
  const examination = await examineOne(running.room, subject, found);
  if (!speaksOfStorage(examination?.fault)) running.troubles = 0;
  return examination;
}

/** What is known to be missing says nothing about storage. */
function subjectOf(running: Running, digest: Digest, known: boolean): Subject {
  const { room, place, pace, signal } = running;
  const spend = (bytes: number): Promise<void> => {
    running.state = { ...running.state, bytes: running.state.bytes + bytes };
    room.observer.read(bytes);
    return pace.bytes(bytes, signal);
  };
  return {
    place,
    digest,
    actor: SCRUBBER,
    reading: { store: place.store, spend, signal },
    guard: known ? async () => undefined : () => askStorage(running),
  };
}

/** Before anything is said of a digest that is missing or unreadable: is it this one, or all of them? */
async function askStorage(running: Running): Promise<void> {
  running.troubles += 1;
  await running.place.store.check().catch((error: unknown) => {
    throw new StorageGone('', { cause: error });
  });
  if (running.troubles < TROUBLES) return;
  throw new StorageGone('', { cause: new Error(`The bytes of ${TROUBLES} digests in a row cannot be read.`) });
}

function counted({ at: _at, ...state }: PassState, digest: Digest, examination: Examination | undefined): PassState {
  return {
    ...state,
    after: digestHex(digest),
    digests: state.digests + 1,
    damaged: state.damaged + (examination?.outcome === 'quarantined' ? 1 : 0),
    unreadable: state.unreadable + (examination?.outcome === 'unreadable' ? 1 : 0),
  };
}

async function finish({ room, place, state }: Running, lease: Lease): Promise<void> {
  const { started, digests, bytes, damaged, unreadable } = state;
  const last = { started, finished: room.context.now(), digests, bytes, damaged, unreadable };
  await lease.release({ last });
  room.observer.passed(place.location, last);
}
