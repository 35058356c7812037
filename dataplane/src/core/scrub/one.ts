/** One digest: examined, and what was found made to count. */
import type { Actor } from '../core.ts';
import type { Digest } from '../digest.ts';
import type { FoundDigest } from '../digests.ts';
import { findDigest } from '../digests.ts';
import type { Examination, Fault } from './contract.ts';
import type { Verdict } from './examine.ts';
import { examine } from './examine.ts';
import type { Reading } from './read.ts';
import type { Location, ScrubRoom } from './room.ts';
import { noteUnreadable, quarantine, release } from './settle.ts';
import type { Matter } from './settle.ts';

export interface Subject {
  readonly place: Location;
  readonly digest: Digest;
  readonly actor: Actor;
  readonly reading: Reading;
  /** Asked before anything is said of bytes that are missing or cannot be read; throws where storage itself is what fails. */
  readonly guard: () => Promise<void>;
}

/** Verdicts that are looked at anew, because the record was changed under them. */
const TRIES = 5;

/** Undefined when the digest is gone, or changed all the time. Throws what the guard throws; rejects when aborted. */
export async function examineOne(room: ScrubRoom, subject: Subject, first: FoundDigest): Promise<Examination | undefined> {
  const { place, digest, reading } = subject;
  let found: FoundDigest | undefined = first;
  for (let tries = 0; tries < TRIES && found !== undefined; tries += 1) {
    const verdict = await examine(reading, digest, found, room.terms.retries);
    if (speaksOfStorage(faultOf(verdict))) await subject.guard();
    const examination = await conclude(room, subject, found, verdict);
    if (examination !== 'changed') return tell(room, digest, examination);
    found = await findDigest(place.store, digest);
  }
  return undefined;
}

/** Says of a digest that it was never read to its end. */
export async function giveUpOn(room: ScrubRoom, subject: Subject, { record }: FoundDigest): Promise<Examination> {
  const detail = 'Its bytes were never read to their end: each time the process ended before. Read faster, or examine it by hand.';
  await noteUnreadable(matterOf(room, subject), record.size, detail);
  return tell(room, subject.digest, {
    location: subject.place.location,
    outcome: 'unreadable',
    fault: { kind: 'unreadable', detail, where: [] },
  });
}

function tell<Of extends Examination | undefined>({ observer }: ScrubRoom, digest: Digest, examination: Of): Of {
  if (examination !== undefined) observer.examined(digest, examination);
  return examination;
}

/** That a blob is missing, or cannot be read, may be true of all of them. */
export function speaksOfStorage(fault: Fault | undefined): boolean {
  return fault?.kind === 'missing' || fault?.kind === 'unreadable';
}

function faultOf(verdict: Verdict): Fault | undefined {
  return 'fault' in verdict ? verdict.fault : undefined;
}

function matterOf({ context }: ScrubRoom, { place, digest, actor }: Subject): Matter {
  return { context, store: place.store, digest, actor };
}

async function conclude(
  room: ScrubRoom,
  subject: Subject,
  found: FoundDigest,
  verdict: Verdict,
): Promise<Examination | 'changed' | undefined> {
  const { location } = subject.place;
  const matter = matterOf(room, subject);
  switch (verdict.outcome) {
    case 'gone':
      return undefined;
    case 'unsteady':
      return { location, outcome: 'unsteady', fault: verdict.fault };
    case 'sound':
      if (verdict.found.record.quarantined === undefined) return { location, outcome: 'sound' };
      return (await release(matter, verdict.found)) ? { location, outcome: 'released' } : 'changed';
    case 'damaged':
      return (await quarantine(matter, verdict.found, verdict.fault))
        ? { location, outcome: 'quarantined', fault: verdict.fault }
        : 'changed';
    case 'unreadable':
      await noteUnreadable(matter, found.record.size, verdict.fault.detail);
      return { location, outcome: 'unreadable', fault: verdict.fault };
  }
}
