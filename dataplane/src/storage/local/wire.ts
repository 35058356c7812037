/** What the store says to its writer thread, and back. */
import type { BlobId, Revision } from '../contract.ts';
import type { FailureReport } from './failure.ts';
import type { Marks } from './standing.ts';

/** One change as the writer performs it: values are JSON text already, revisions are chosen. */
export type WireChange =
  | { readonly put: string; readonly json: string; readonly revision: Revision; readonly ifRevision?: Revision; readonly ifAbsent?: true }
  | { readonly delete: string; readonly ifRevision?: Revision }
  | { readonly blob: BlobId; readonly bytes: Uint8Array }
  | { readonly erase: BlobId }
  /** Writes one row that nobody reads. */
  | { readonly probe: number };

/** Changes that happen all or not at all. */
export type WireBatch = readonly WireChange[];

/** `done`, or the index of the change whose condition failed, or what broke. */
export type Outcome = 'done' | { readonly conflict: number } | { readonly failure: FailureReport };

/** To the writer: batches that share one commit, or the wish to end. */
export type WriterRequest = { readonly batches: readonly WireBatch[] } | 'close';

/** From the writer: once when its database is open, then one answer per group, in order. */
export type WriterReply = 'ready' | { readonly outcomes: readonly Outcome[] } | { readonly unusable: FailureReport };

export interface WriterData {
  readonly directory: string;
  readonly location: string;
  /** The files that the store opened: the writer works on no others. */
  readonly marks: Marks;
}
