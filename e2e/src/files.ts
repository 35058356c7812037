/** Files with known content, and what they weigh in digests. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Clients that synchronise compare times by the second; a file that is just as new as its copy would count as changed. */
const AN_HOUR_AGO = Date.now() / 1000 - 3600;

export interface Sample {
  readonly path: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A folder of one test file's own, removed by `remove`. */
export interface Workspace {
  readonly folder: string;
  /** A path in the folder. */
  at(...names: string[]): string;
  /** Writes `size` random bytes under `name`. */
  sample(name: string, size: number): Promise<Sample>;
  remove(): Promise<void>;
}

export async function makeWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'bonded-e2e-'));
  const at = (...names: string[]) => join(folder, ...names);
  return {
    folder,
    at,
    sample: (name, size) => writeSample(at(name), size),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function writeSample(path: string, size: number): Promise<Sample> {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  for (let written = 0; written < size; written += MIB) {
    const chunk = randomBytes(Math.min(MIB, size - written));
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.close();
  await utimes(path, AN_HOUR_AGO, AN_HOUR_AGO);
  return { path, size, sha256: hash.digest('hex') };
}

/** Lower-case hex SHA-256 of a file. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Bytes `from` to `to` of a file, both included, as HTTP counts them. */
export async function slice(path: string, from: number, to: number): Promise<Buffer> {
  return (await readFile(path)).subarray(from, to + 1);
}

/** Fails unless the bytes are the same, without drawing a difference of megabytes. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const same = Buffer.compare(actual, expected) === 0;
  assert.ok(same, `${actual.length} bytes came back that are not the ${expected.length} bytes expected`);
}
