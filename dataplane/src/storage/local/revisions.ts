/**
 * Revisions: never the same twice, in whatever process, before or after whatever restart. Each ends with a checksum of its
 * record, since SQLite finds damage of its own structure only.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Revision } from '../contract.ts';

/** Answers a function that makes revisions: 72 random bits drawn once, a count, and the checksum of key and value. */
export function openRevisions(): (key: string, json: string) => Revision {
  const epoch = randomBytes(9).toString('base64url');
  let count = 0;
  return (key, json) => `${epoch}${(count++).toString(36)}.${checksum(key, json)}`;
}

/** False when the record is not the one that the revision was made for. One without a checksum is taken as it is. */
export function fits(revision: Revision, key: string, json: string): boolean {
  const dot = revision.indexOf('.');
  return dot < 0 || revision.slice(dot + 1) === checksum(key, json);
}

function checksum(key: string, json: string): string {
  return crc32(json, crc32(key)).toString(36);
}
