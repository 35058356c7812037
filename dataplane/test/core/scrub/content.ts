/** The ways by which bytes come to a name, and so come to stand in one blob, several, or a row of a database. */
import { createHash, randomBytes } from 'node:crypto';
import type { ObjectVersion } from '../../../src/core/object.ts';
import { ACTOR, bucketNamed, bytesOf, PLAIN } from '../core.fixture.ts';
import type { TestCore } from '../core.fixture.ts';

export const bucket = bucketNamed('b');

const MIB = 1024 * 1024;
const naming = { conditions: {}, actor: ACTOR };

/** Uploads a body under a name. */
export type Way = (test: TestCore, key: string, body: Buffer) => Promise<ObjectVersion>;

const put: Way = (test, key, body) => test.put(bucket, key, body);

const multipart: Way = async ({ core: { uploads, objects } }, key, body) => {
  const session = await uploads.begin(bucket, key, PLAIN, undefined, ACTOR);
  const parts = [];
  for (const [index, part] of [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)].entries())
    parts.push(await uploads.putPart(bucket, session, index + 1, await objects.receive(bucket, bytesOf(part), {})));
  return (await uploads.complete(bucket, session, parts, {}, {}, ACTOR)).version;
};

const appended: Way = async ({ core: { ranges } }, key, body) => {
  const session = await ranges.begin(bucket, key, { attributes: PLAIN, mode: 'sequential', length: body.length }, ACTOR);
  const half = Math.floor(body.length / 2);
  await ranges.append(bucket, session, { offset: 0, bytes: bytesOf(body.subarray(0, half)) });
  await ranges.append(bucket, session, { offset: half, bytes: bytesOf(body.subarray(half)) });
  return (await ranges.complete(bucket, session, naming)).version;
};

const parallel: Way = async ({ core: { ranges } }, key, body) => {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const options = { attributes: PLAIN, mode: 'parallel', length: body.length, sha256 } as const;
  const session = await ranges.begin(bucket, key, options, ACTOR);
  const half = Math.floor(body.length / 2);
  await ranges.write(bucket, session, { offset: half, bytes: bytesOf(body.subarray(half)) });
  await ranges.write(bucket, session, { offset: 0, bytes: bytesOf(body.subarray(0, half)) });
  return (await ranges.complete(bucket, session, naming)).version;
};

export const WAYS = { put, multipart, appended, parallel } as const;

/** Kinds of content: how it came, how many blobs it has, and how large a body is that makes it so. */
export const CONTENTS = {
  'a small blob': { way: put, size: 300, blobs: 1 },
  'one blob': { way: put, size: 200_000, blobs: 1 },
  'the parts of a multipart upload': { way: multipart, size: 5 * MIB + 70_000, blobs: 2 },
  'pieces that were appended': { way: appended, size: 150_000, blobs: 2 },
  'ranges that came in parallel': { way: parallel, size: 150_000, blobs: 2 },
} as const;

export const bodyOf = (size: number): Buffer => randomBytes(size);
