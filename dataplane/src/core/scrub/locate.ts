/** Finds the runs of an artefact's bytes that are wrong, where the parts that it was uploaded in have SHA-256s of their own. */
import { readLayout } from '../complete.ts';
import type { StoredPart } from '../core.ts';
import type { Digest } from '../digest.ts';
import type { Segment } from '../digests.ts';
import { readSegments } from '../digests.ts';
import { keys } from '../keys.ts';
import type { Damage, Extent } from './contract.ts';
import type { Reading } from './read.ts';
import { sha256Of } from './read.ts';

/** Runs that are named. */
const SHOWN = 100;

/** The fault with the runs that are wrong. Where nothing tells, of bytes in one blob it is all of them, and of others none is named. */
export async function located(reading: Reading, digest: Digest, segments: readonly Segment[], fault: Damage): Promise<Damage> {
  if (fault.kind !== 'differs') return fault;
  const size = segments.reduce((sum, [, length]) => sum + length, 0);
  const parts = await partsOf(reading, digest, size);
  if (parts !== undefined) return { ...fault, where: await wrongParts(reading, segments, parts) };
  const [only, ...others] = segments;
  return only === undefined || others.length > 0 ? fault : { ...fault, where: [{ offset: 0, length: only[1], blob: only[0] }] };
}

/** The parts of one of the uploads that brought these bytes, if each has a SHA-256. */
async function partsOf({ store }: Reading, digest: Digest, size: number): Promise<readonly StoredPart[] | undefined> {
  const prefix = keys.layouts(digest);
  for (const item of await store.records.scan({ prefix, limit: 1 })) {
    const parts = 'key' in item ? await readLayout(store, digest, item.key.slice(prefix.length)) : undefined;
    if (parts?.every(({ checksums }) => checksums.SHA256 !== undefined) !== true) continue;
    if (parts.reduce((sum, part) => sum + part.size, 0) === size) return parts;
  }
  return undefined;
}

async function wrongParts(
  { store, spend, signal }: Reading,
  segments: readonly Segment[],
  parts: readonly StoredPart[],
): Promise<readonly Extent[]> {
  const where: Extent[] = [];
  let offset = 0;
  for (const { size: length, checksums } of parts) {
    signal.throwIfAborted();
    const hex = await sha256Of(readSegments(store, segments, { offset, length }), length);
    if (hex !== Buffer.from(checksums.SHA256 ?? '', 'base64').toString('hex')) where.push(extentOf(segments, offset, length));
    if (where.length === SHOWN) return where;
    await spend(length);
    offset += length;
  }
  return where;
}

/** With its blob, where one has just this run. */
function extentOf(segments: readonly Segment[], offset: number, length: number): Extent {
  let start = 0;
  for (const [blob, size] of segments) {
    if (start === offset && size === length) return { offset, length, blob };
    start += size;
  }
  return { offset, length };
}
