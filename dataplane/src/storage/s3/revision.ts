/** A record's revision: its write's nonce, and the ETag that a condition on it needs. */
import type { Revision } from '../contract.ts';
import type { Etag } from './objects.ts';

export interface Known {
  readonly nonce: string;
  readonly etag: Etag;
}

export function revisionOf({ nonce, etag }: Known): Revision {
  return `${nonce}.${etag}`;
}

/** Undefined for a text that never was a revision. */
export function readRevision(revision: Revision): Known | undefined {
  const end = revision.indexOf('.');
  return end > 0 && end < revision.length - 1 ? { nonce: revision.slice(0, end), etag: revision.slice(end + 1) } : undefined;
}
