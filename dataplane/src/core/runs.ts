/**
 * Stored runs of bytes that have no digest yet: parts and pieces of uploads. What they had when they came stands in their records, and
 * whoever reads them again compares: a digest made of bytes that have rotted meanwhile would make the wrong ones right.
 */
import { isError } from '../errors.ts';
import type { BlobId, Store } from '../storage/contract.ts';
import type { Segment } from './digests.ts';
import { readSegments } from './digests.ts';
import type { HashAlgorithm } from './hashing/checksums.ts';
import type { LaneHash } from './hashing/lanes.ts';
import { openLaneHash } from './hashing/lanes.ts';
import type { Slab } from './hashing/slabs.ts';
import type { Hashes } from './hashing/stream.ts';
import { hashStream } from './hashing/stream.ts';
import type { DamageKind } from './quarantine.ts';

/** A checksum that was computed as the bytes came, in base64. */
export interface RunCheck {
  readonly algorithm: HashAlgorithm;
  readonly value: string;
}

/** A blob as it should be. Without a check, as those of earlier releases are, only its length is compared. */
export interface StoredRun {
  readonly blob: BlobId;
  /** In bytes; never 0. */
  readonly size: number;
  readonly check?: RunCheck | undefined;
}

/** A run was read, and is not what it was. Nobody's answer: whoever reads says what it means (`damage.ts`). */
export class RunDamaged extends Error {
  readonly run: StoredRun;
  readonly kind: DamageKind;

  constructor(run: StoredRun, kind: DamageKind, detail: string) {
    super(detail);
    this.name = 'RunDamaged';
    this.run = run;
    this.kind = kind;
  }
}

/** As segments of an artefact. */
export function segmentsOfRuns(runs: readonly StoredRun[]): readonly Segment[] {
  return runs.map(({ blob, size }) => [blob, size] as const);
}

/** The bytes of runs, one after another. Throws `RunDamaged` for one that is missing or too short. */
export async function* readRuns(store: Store, runs: readonly StoredRun[]): AsyncGenerator<Uint8Array, void, void> {
  for (const run of runs) {
    try {
      yield* readSegments(store, [[run.blob, run.size]], { offset: 0, length: run.size });
    } catch (thrown) {
      throw isError(thrown, 'BytesDamaged') ? await shortened(store, run) : thrown;
    }
  }
}

async function shortened(store: Store, run: StoredRun): Promise<RunDamaged> {
  const size = await store.blobs.head(run.blob);
  if (size === undefined) return new RunDamaged(run, 'missing', `The blob ${run.blob}, of ${run.size} bytes, is not there.`);
  return new RunDamaged(run, 'length', `The blob ${run.blob} has ${size} of its ${run.size} bytes.`);
}

export interface RunWatch {
  /** To be given all slabs of the runs, in order. Rejects with `RunDamaged` at the end of a run that differs. */
  feed(slab: Slab): Promise<void>;
  /** Lets go of the threads; always call it. */
  drop(): void;
}

/** Compares runs while their bytes pass by. At any time the hash of one run is open. */
export function watchRuns(runs: readonly StoredRun[]): RunWatch {
  let at = 0;
  let left = runs[0]?.size ?? 0;
  let hash = openCheck(runs[0]);
  /** Begins with the next run; answers the verdict on the one that ended. */
  const next = (): Promise<void> => {
    const [ended, ending] = [runs[at]!, hash];
    at += 1;
    left = runs[at]?.size ?? 0;
    hash = openCheck(runs[at]);
    return compare(ended, ending);
  };
  return {
    feed: async ({ buffer, length }) => {
      const work: Promise<void>[] = [];
      for (let offset = 0; offset < length && at < runs.length;) {
        const taken = Math.min(left, length - offset);
        if (hash !== undefined) work.push(hash.update(buffer, taken, offset));
        offset += taken;
        left -= taken;
        if (left === 0) work.push(next());
      }
      await Promise.all(work);
    },
    drop: () => hash?.drop(),
  };
}

function openCheck(run: StoredRun | undefined): LaneHash | undefined {
  return run?.check === undefined ? undefined : openLaneHash(run.check.algorithm);
}

async function compare(run: StoredRun, hash: LaneHash | undefined): Promise<void> {
  if (hash === undefined) return;
  const { algorithm, value } = run.check!;
  const found = (await hash.digest()).toString('base64');
  if (found === value) return;
  throw new RunDamaged(
    run,
    'differs',
    `The blob ${run.blob}, of ${run.size} bytes, has the ${algorithm} ${found}, and came with ${value}.`,
  );
}

/** Hashes runs as one, comparing each. Throws `RunDamaged`. */
export async function hashRuns(store: Store, runs: readonly StoredRun[], algorithms: readonly HashAlgorithm[]): Promise<Hashes> {
  const watch = watchRuns(runs);
  try {
    return await hashStream(readRuns(store, runs), algorithms, (slab) => watch.feed(slab));
  } finally {
    watch.drop();
  }
}
