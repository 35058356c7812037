/** The scrub as protocols, and the process that runs it, see it: stored bytes are read again, and what is wrong never leaves. */
import type { BlobId } from '../../storage/contract.ts';
import type { Actor } from '../core.ts';
import type { Digest } from '../digest.ts';
import type { DamageKind, UploadDamage } from '../quarantine.ts';

/** How much the scrub may take of a location. */
export interface ScrubBudget {
  /** 0: no passes; single digests can still be examined. */
  readonly bytesPerSecond: number;
  readonly digestsPerSecond: number;
  /** From the start of one pass to that of the next, in ms; a pass that takes longer is followed by the next at once. */
  readonly period: number;
}

/** `unreadable`: the bytes may be right, storage does not give them out; they are not in quarantine. */
export type FindingKind = DamageKind | 'unreadable';

/** A run of an artefact's bytes, and the blob that has it where it has just that run. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly blob?: BlobId;
}

/** What is wrong with stored bytes. */
export interface Fault {
  readonly kind: FindingKind;
  /** For people. */
  readonly detail: string;
  /** The bytes that are wrong, as far as that is known, at most 100 runs; none where it is not. */
  readonly where: readonly Extent[];
}

/** A fault of the bytes themselves. */
export type Damage = Fault & { readonly kind: DamageKind };

/** A fault that stands. Times are in ms since the epoch. */
export interface Finding extends Fault {
  readonly digest: Digest;
  readonly location: string;
  readonly size: number;
  readonly since: number;
  /** When it was last found so. */
  readonly seen: number;
  readonly quarantined: boolean;
}

export interface PassCounts {
  readonly digests: number;
  readonly bytes: number;
  /** Digests that came into quarantine. */
  readonly damaged: number;
  readonly unreadable: number;
}

/** How far a location's scrub is. Times are in ms since the epoch. */
export interface LocationScrub {
  readonly location: string;
  readonly budget: ScrubBudget;
  /** The pass under way; `progress` is the share of all digests, from 0 to 1. At most some ten seconds old. */
  readonly pass?: PassCounts & { readonly started: number; readonly progress: number };
  /** The last pass that came to its end. */
  readonly last?: PassCounts & { readonly started: number; readonly finished: number };
  /** When the next one begins, if passes are made at all; the past means: as soon as it can. */
  readonly next?: number;
  /** Digests in quarantine, at most 10,000. */
  readonly quarantined: number;
}

/**
 * What became of one digest in one location. `released`: it was in quarantine, and its bytes are right (again). `unsteady`: they were wrong
 * once and right at the second reading, which speaks against the machine rather than the bytes.
 */
export interface Examination {
  readonly location: string;
  readonly outcome: 'sound' | 'released' | 'unsteady' | 'quarantined' | 'unreadable';
  /** For `unsteady`, what the first reading found. */
  readonly fault?: Fault;
}

/** Who is told, for metrics and logs. */
export interface ScrubObserver {
  read(bytes: number): void;
  /** A digest was examined. */
  examined(digest: Digest, examination: Examination): void;
  /** A pass came to its end, now or before this process began. */
  passed(location: string, last: NonNullable<LocationScrub['last']>): void;
  /** An upload was not completed, because bytes of it are wrong. */
  uploadDamaged(damage: UploadDamage): void;
  /** So many digests of the location are in quarantine. */
  quarantined(location: string, count: number): void;
  /** A pass was put off, because storage itself cannot be read. */
  suspended(location: string, reason: unknown): void;
}

export interface Scrub {
  /** Makes passes over every location until aborted. Of several processes that run it, one at a time does the work of a location. */
  run(signal: AbortSignal): Promise<void>;
  state(): Promise<readonly LocationScrub[]>;
  /** A pass begins soon; where one is under way, another follows it. Throws `InvalidRequest` where no passes are made. */
  request(): Promise<void>;
  /** Reads one digest now, outside the budget, wherever it is stored. Right bytes leave quarantine. */
  examine(digest: Digest, actor: Actor, signal: AbortSignal): Promise<readonly Examination[]>;
  /** By location and digest, strictly after `after`. */
  findings(query: {
    readonly after?: { readonly location: string; readonly digest: Digest } | undefined;
    readonly limit: number;
  }): Promise<{ readonly findings: readonly Finding[]; readonly next?: { readonly location: string; readonly digest: Digest } }>;
}
