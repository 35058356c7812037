/** Revisions: never the same twice, in whatever process, before or after whatever restart. */
import { randomBytes } from 'node:crypto';
import type { Revision } from '../contract.ts';

/** Answers a function that makes revisions: 72 random bits drawn once, then a count. */
export function openRevisions(): () => Revision {
  const epoch = randomBytes(9).toString('base64url');
  let count = 0;
  return () => `${epoch}${(count++).toString(36)}`;
}
