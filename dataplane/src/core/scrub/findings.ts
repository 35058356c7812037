/** The records of what is wrong: beside a digest's own record, which decides, so that they can be listed. */
import type { Change, Entry, Json, Store } from '../../storage/contract.ts';
import type { Digest } from '../digest.ts';
import { sha256Digest } from '../digest.ts';
import { findDigest } from '../digests.ts';
import { keys } from '../keys.ts';
import { scanAll } from '../scan.ts';
import type { Fault, Finding, Scrub } from './contract.ts';
import type { Location } from './room.ts';
import { unlessConflict } from '../conflict.ts';

/** What a record holds. */
export type FindingRecord = Omit<Finding, 'digest' | 'location'>;

/** Findings that are counted. */
const COUNTED = 10_000;

export function asFinding(entry: Entry): FindingRecord {
  return entry.value as unknown as FindingRecord;
}

/** The finding about a digest, if there is one. */
export async function findFinding(store: Store, digest: Digest): Promise<FindingRecord | undefined> {
  const entry = await store.records.get(keys.finding(digest));
  return entry && asFinding(entry);
}

/** The change that writes a finding, whatever was found before. */
export function putFinding(digest: Digest, record: FindingRecord): Change {
  return { put: keys.finding(digest), value: record as unknown as Json };
}

/** A finding of now. */
export function findingOf(
  fault: Fault,
  facts: { readonly size: number; readonly quarantined: boolean; readonly now: number },
): FindingRecord {
  const { size, quarantined, now } = facts;
  return { ...fault, size, since: now, seen: now, quarantined };
}

/** Digests in quarantine, counted up to 10,000. */
export async function countQuarantined({ store }: Location): Promise<number> {
  let count = 0;
  let seen = 0;
  for await (const entry of scanAll(store, keys.findings)) {
    if (asFinding(entry).quarantined) count += 1;
    seen += 1;
    if (seen === COUNTED) break;
  }
  return count;
}

/** What `Scrub.findings` promises. */
export async function listFindings(
  locations: readonly Location[],
  { after, limit }: Parameters<Scrub['findings']>[0],
): ReturnType<Scrub['findings']> {
  const findings: Finding[] = [];
  for (const { location, store } of locations) {
    if (after !== undefined && location < after.location) continue;
    const from = after?.location === location ? keys.finding(after.digest) : undefined;
    for await (const entry of scanAll(store, keys.findings, { after: from })) {
      const digest = digestOf(entry);
      if (await isStale(store, digest, asFinding(entry))) continue;
      if (findings.length === limit) return { findings, next: findings.at(-1)! };
      findings.push({ digest, location, ...asFinding(entry) });
    }
  }
  return { findings };
}

/** Forgets findings that hold no more: of bytes that were readable in a pass that began at `since`, and what a cut-off change left. */
export async function forgetStale({ store }: Location, since: number, signal: AbortSignal): Promise<void> {
  for await (const entry of scanAll(store, keys.findings, { signal })) {
    const finding = asFinding(entry);
    if (finding.seen >= since) continue;
    const isOver = !finding.quarantined || (await isStale(store, digestOf(entry), finding));
    if (isOver) await store.records.write([{ delete: entry.key, ifRevision: entry.revision }]).catch(unlessConflict);
  }
}

/** A quarantine that its digest's record does not know (any more) is none. */
async function isStale(store: Store, digest: Digest, { quarantined }: FindingRecord): Promise<boolean> {
  const found = await findDigest(store, digest);
  return found === undefined || (quarantined && found.record.quarantined === undefined);
}

function digestOf(entry: Entry): Digest {
  return sha256Digest(entry.key.slice(keys.findings.length));
}
