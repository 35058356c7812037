/** What becomes of a digest after it was examined: quarantine, release, a note, or nothing. */
import type { Store } from '../../storage/contract.ts';
import type { CoreContext } from '../context.ts';
import type { Actor } from '../core.ts';
import type { Digest } from '../digest.ts';
import type { FoundDigest, QuarantinedDigest, SoundDigest } from '../digests.ts';
import { digestValue } from '../digests.ts';
import { journalChange } from '../journal.ts';
import { keys } from '../keys.ts';
import { heldSegments } from '../quarantine.ts';
import type { Damage } from './contract.ts';
import { findFinding, findingOf, putFinding } from './findings.ts';
import { tookPlace } from '../conflict.ts';

/** What is settled, and on whose account. */
export interface Matter {
  readonly context: CoreContext;
  readonly store: Store;
  readonly digest: Digest;
  readonly actor: Actor;
}

/**
 * Puts a digest whose bytes are wrong into quarantine: from this change on no process gives them out. False when the record is not as
 * it was examined: then the verdict is about something else. A digest that is in quarantine stays there, with a fresh finding.
 */
export async function quarantine({ context, store, digest, actor }: Matter, found: FoundDigest, fault: Damage): Promise<boolean> {
  const now = context.now();
  const { size, created, condemned, quarantined: before } = found.record;
  const quarantined = before ?? { since: now, kind: fault.kind, segments: heldSegments(found.record) };
  const record: QuarantinedDigest = { size, created, ...(condemned === undefined ? {} : { condemned }), quarantined };
  const finding = { ...findingOf(fault, { size, quarantined: true, now }), since: quarantined.since };
  const note = `${fault.kind}: ${fault.detail}`;
  return tookPlace(
    store.records.write([
      putFinding(digest, finding),
      { put: keys.digest(digest), value: digestValue(record), ifRevision: found.revision },
      ...(before === undefined ? [journalChange(context, { actor, change: 'quarantine', digest, size, note })] : []),
    ]),
  );
}

/** Lets bytes out of quarantine that are right. False when the record is not as it was examined. */
export async function release({ context, store, digest, actor }: Matter, found: FoundDigest): Promise<boolean> {
  const { size, created, condemned } = found.record;
  const record: SoundDigest = { size, created, ...(condemned === undefined ? {} : { condemned }), segments: heldSegments(found.record) };
  return tookPlace(
    store.records.write([
      { put: keys.digest(digest), value: digestValue(record), ifRevision: found.revision },
      journalChange(context, { actor, change: 'release', digest, size }),
      { delete: keys.finding(digest) },
    ]),
  );
}

/** Notes that bytes cannot be read, though others can. It is journalled once, until they could be read again. */
export async function noteUnreadable({ context, store, digest, actor }: Matter, size: number, detail: string): Promise<void> {
  const before = await findFinding(store, digest);
  // What is in quarantine is no worse for being unreadable.
  if (before?.quarantined === true) return;
  const now = context.now();
  const finding = findingOf({ kind: 'unreadable', detail, where: [] }, { size, quarantined: false, now });
  const put = putFinding(digest, { ...finding, since: before?.since ?? now });
  const tell = before === undefined ? [journalChange(context, { actor, change: 'unreadable', digest, size, note: detail })] : [];
  await store.records.write([put, ...tell]);
}

/** Bytes that could be read are right: whatever was noted about them is over. */
export async function noteSound({ store, digest }: Matter): Promise<void> {
  const before = await findFinding(store, digest);
  if (before !== undefined) await store.records.write([{ delete: keys.finding(digest) }]);
}
