/** A core whose stored bytes rot as the test says, on whatever store, and whose scrub makes a pass when it is told to. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../../src/core/digest.ts';
import type { DigestRecord } from '../../../src/core/digests.ts';
import { findDigest } from '../../../src/core/digests.ts';
import type { JournalEntry } from '../../../src/core/core.ts';
import { heldSegments } from '../../../src/core/quarantine.ts';
import type { UploadDamage } from '../../../src/core/quarantine.ts';
import type { Examination, Finding, LocationScrub, ScrubBudget, ScrubObserver } from '../../../src/core/scrub/contract.ts';
import type { ScrubTerms } from '../../../src/core/scrub/room.ts';
import { isError } from '../../../src/errors.ts';
import type { BlobId, Store } from '../../../src/storage/contract.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import type { TestCore } from '../core.fixture.ts';
import { bytesOf, collectBytes, testCore } from '../core.fixture.ts';

export const GRACE = 60_000;
export const UNBOUNDED: ScrubBudget = { bytesPerSecond: 1e12, digestsPerSecond: 1e9, period: 7 * 86_400_000 };
export const QUICK: ScrubTerms = { tick: 2, save: 5, lease: 60_000, retries: [0, 0], suspension: 2 };

/** What an observer was told. */
export interface Told {
  bytes: number;
  readonly examined: { readonly digest: Digest; readonly examination: Examination }[];
  readonly passes: NonNullable<LocationScrub['last']>[];
  readonly suspended: unknown[];
  readonly uploads: UploadDamage[];
  quarantined: number;
}

export interface RottingCore extends TestCore {
  readonly told: Told;
  /** Makes one whole pass. */
  scrub(): Promise<NonNullable<LocationScrub['last']>>;
  findings(): Promise<readonly Finding[]>;
  /** Entries of these kinds, oldest first. */
  journal(...changes: readonly JournalEntry['change'][]): Promise<readonly JournalEntry[]>;
}

export function rottingCore(
  options: { readonly store?: Store; readonly budget?: Partial<ScrubBudget>; readonly terms?: Partial<ScrubTerms> } = {},
): RottingCore {
  const told: Told = { bytes: 0, examined: [], passes: [], suspended: [], uploads: [], quarantined: 0 };
  const test = testCore({
    store: options.store ?? openMemoryStore(),
    terms: { grace: GRACE, uploadLife: 2 * GRACE, doneLife: GRACE },
    scrub: { budget: { ...UNBOUNDED, ...options.budget }, terms: { ...QUICK, ...options.terms }, observer: observerOf(told) },
  });
  const { core } = test;
  return {
    ...test,
    told,
    scrub: async () => {
      const before = told.passes.at(-1)?.finished;
      // A request of the very moment in which a pass began is answered by that pass.
      test.pass(5);
      await core.scrub.request();
      const stop = new AbortController();
      const running = core.scrub.run(stop.signal);
      await until(() => told.passes.at(-1) !== undefined && told.passes.at(-1)!.finished !== before, 20_000);
      stop.abort();
      await running;
      return told.passes.at(-1)!;
    },
    findings: async () => (await core.scrub.findings({ limit: 1000 })).findings,
    journal: async (...changes) => (await core.journal.read({ limit: 10_000 })).filter(({ change }) => changes.includes(change)),
  };
}

function observerOf(told: Told): ScrubObserver {
  return {
    read: (bytes) => void (told.bytes += bytes),
    examined: (digest, examination) => void told.examined.push({ digest, examination }),
    passed: (_location, last) => void (told.passes.at(-1)?.finished === last.finished || told.passes.push(last)),
    quarantined: (_location, count) => void (told.quarantined = count),
    suspended: (_location, reason) => void told.suspended.push(reason),
    uploadDamaged: (damage) => void told.uploads.push(damage),
  };
}

/** Waits for something, for so many ms at most. */
export async function until(holds: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(2)) assert.ok(Date.now() < end, 'it never came to hold');
}

export async function recordOf(store: Store, digest: Digest): Promise<DigestRecord> {
  return (await findDigest(store, digest))?.record ?? assert.fail(`${digest} is not there`);
}

/** The blobs of a digest, in order. */
export async function blobsOf(store: Store, digest: Digest): Promise<readonly BlobId[]> {
  return heldSegments(await recordOf(store, digest)).map(([blob]) => blob);
}

/** Ways in which bytes go wrong. */
export const ROT = {
  flipped: (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]),
  truncated: (bytes: Buffer) => bytes.subarray(0, -1),
  grown: (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')]),
  emptied: () => Buffer.alloc(0),
  deleted: () => undefined,
} as const;

/** Lets a blob rot where it stands. Answers a function that puts it right again. */
export async function rot(store: Store, blob: BlobId, way: (bytes: Buffer) => Buffer | undefined): Promise<() => Promise<void>> {
  const right = await collectBytes(store.blobs.get(blob));
  const place = async (bytes: Buffer | undefined): Promise<void> => {
    await store.blobs.delete(blob);
    if (bytes !== undefined) await store.blobs.put(blob, bytesOf(bytes));
  };
  await place(way(right));
  return () => place(right);
}

/** Fails unless the work is refused because bytes are damaged. */
export async function refusedAsDamaged(work: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(work, (error) => isError(error, 'BytesDamaged'), what);
}
