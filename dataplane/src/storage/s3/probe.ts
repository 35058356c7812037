/**
 * Proves at start that the store keeps the promises that records rest on. Stores that take conditional writes without heeding
 * them, or that look before they write, would lose changes silently: they are refused.
 */
import { randomBytes } from 'node:crypto';
import { S3Failure, translate, unavailable } from './failure.ts';
import type { Multipart } from './multipart.ts';
import { nameOf } from './names.ts';
import type { Condition, Objects } from './objects.ts';
import { repeated, type Patience } from './patience.ts';
import { smallPayload } from './payload.ts';

export interface Probing extends Patience {
  readonly objects: Objects;
  readonly multipart: Multipart;
}

/** Where the probe writes, under the place's prefix; it leaves nothing there, unless its process dies. */
export const PROBE = 'probe/';

/** What is older than this, in ms, is of no probe that is under way. */
const LONGEST_PROBE_MS = 60 * 60_000;

/** Removes what processes left that died while they probed; of more than 1,000 objects or uploads, the rest the next time. */
export async function sweepProbes(room: Probing): Promise<void> {
  const isLeft = (since: number): boolean => Date.now() - since > LONGEST_PROBE_MS;
  const { objects } = await repeated(room, () => room.objects.list({ prefix: PROBE, limit: 1000 }));
  for (const { name } of objects.filter(({ modified }) => isLeft(modified))) await repeated(room, () => room.objects.delete(name));
  const uploads = await repeated(room, () => room.multipart.open(PROBE));
  for (const { name, uploadId } of uploads.filter(({ begun }) => isLeft(begun)))
    await repeated(room, () => room.multipart.abort(name, uploadId));
}

const RACERS = 16;
const ROUNDS = 3;
/** Rounds in which an answer was lost and nobody is known to have won say nothing; so many of them are made. */
const MOST_ROUNDS = 20;

/** Throws `Unavailable` with the reason when the store cannot be relied on. */
export async function probe(room: Probing): Promise<void> {
  const space = `${PROBE}${randomBytes(9).toString('base64url')}/`;
  const names: string[] = [];
  const newName = (text: string): string => {
    names.push(space + text);
    return space + text;
  };
  try {
    // At once, since the start waits for them. All have ended before what they wrote is removed; the first reason is told.
    const proofs = await Promise.allSettled([
      proveReadsOwnWrites(room, newName('own')),
      proveMissingIsRefused(room, newName('missing')),
      proveOneWinner(room, newName, 'create'),
      proveOneWinner(room, newName, 'replace'),
      proveCompletionIsConditional(room, newName('parts')),
      proveOrder(room, newName, space),
    ]);
    for (const proof of proofs) if (proof.status === 'rejected') throw proof.reason;
  } catch (thrown) {
    throw translate(thrown, room.location);
  } finally {
    await Promise.allSettled(names.map((name) => repeated(room, () => room.objects.delete(name))));
  }
}

function fails(room: Probing, what: string): Error {
  return unavailable(
    room.location,
    `${what}, so changes of two clients at once could be lost; use a store with atomic conditional writes (docs/storage-s3.md names some)`,
  );
}

const text = (content: string): Uint8Array => Buffer.from(content);

async function proveReadsOwnWrites(room: Probing, name: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const etag = await repeated(room, () => room.objects.put(name, text(`own ${round}`)));
    const found = await repeated(room, () => room.objects.get(name));
    if (found.text !== `own ${round}` || found.etag !== etag) throw fails(room, 'it does not answer what was written just before');
    const unchanged = await outcomeOf(() => repeated(room, () => room.objects.get(name, etag)));
    if (unchanged !== 'unchanged') throw fails(room, 'it does not heed If-None-Match with an ETag when it is read');
  }
}

async function proveMissingIsRefused(room: Probing, name: string): Promise<void> {
  const outcome = await untilKnown(room, () =>
    room.objects.put(name, text('never'), { condition: { ifMatch: '0123456789abcdef0123456789abcdef' } }),
  );
  if (outcome === 'made') throw fails(room, 'it makes a conditional write (If-Match) of an object that does not exist');
}

async function proveOneWinner(room: Probing, newName: (name: string) => string, how: 'create' | 'replace'): Promise<void> {
  let told = 0;
  for (let round = 0; round < MOST_ROUNDS && told < ROUNDS; round += 1) {
    const name = newName(`${how}${round}`);
    const condition: Condition =
      how === 'create' ? { ifAbsent: true } : { ifMatch: await repeated(room, () => room.objects.put(name, text('before'))) };
    const racers = Array.from({ length: RACERS }, (_, racer) =>
      outcomeOf(() => room.objects.put(name, text(`racer ${racer}`), { condition })),
    );
    const outcomes = await Promise.all(racers);
    const winners = outcomes.filter((outcome) => outcome === 'made').length;
    const lost = outcomes.some((outcome) => outcome === 'unknown');
    const header = how === 'create' ? 'If-None-Match: *' : 'If-Match';
    if (winners > 1) throw fails(room, `of ${RACERS} conditional writes at once (${header}) ${winners} succeeded instead of one`);
    if (winners === 0 && !lost) throw fails(room, `of ${RACERS} conditional writes at once (${header}) none succeeded`);
    if (winners === 1) told += 1;
  }
  if (told < ROUNDS) throw unavailable(room.location, 'too many of its answers were lost to prove that its conditional writes are atomic');
}

async function proveCompletionIsConditional(room: Probing, name: string): Promise<void> {
  await repeated(room, () => room.objects.put(name, text('first')));
  const uploadId = await repeated(room, () => room.multipart.begin(name, 'probe'));
  try {
    const part = await repeated(room, () => room.multipart.part({ name, uploadId, number: 1 }, smallPayload(text('second'))));
    const outcome = await untilKnown(room, () => room.multipart.complete(name, uploadId, [part], { ifAbsent: true }));
    if (outcome === 'made') throw fails(room, 'it completes a multipart upload over an object in spite of If-None-Match');
  } finally {
    await abortAll(room, name).catch(() => undefined);
  }
}

/** That of which the beginning had no answer, too. */
async function abortAll(room: Probing, name: string): Promise<void> {
  const open = await repeated(room, () => room.multipart.open(name));
  for (const { uploadId } of open) await repeated(room, () => room.multipart.abort(name, uploadId));
}

/** Names of the shapes that records have: where folders, their neighbours and the ends of names meet. */
const KEYS = ['a', 'a b', 'a-b', 'a/', 'a/b', 'a/b/c', 'a//b', 'a0', 'aB', 'ab', 'a_b', 'b/c', 'b/d', 'é', '\u{1F600}'];

async function proveOrder(room: Probing, newName: (name: string) => string, space: string): Promise<void> {
  const folder = `${space}list/`;
  await Promise.all(KEYS.map((key) => repeated(room, () => room.objects.put(newName(`list/${nameOf(key)}`), text(key)))));
  const expected = KEYS.map((key) => folder + nameOf(key)).sort();
  const listed: string[] = [];
  for (let token: string | undefined; listed.length < 100;) {
    const page = await repeated(room, () => room.objects.list({ prefix: folder, limit: 4, ...(token !== undefined && { token }) }));
    listed.push(...page.objects.map(({ name }) => name));
    token = page.token;
    if (token === undefined) break;
  }
  if (listed.join('\n') !== expected.join('\n'))
    throw fails(room, 'its listing is not in the order of bytes, or lacks what was written just before');
  const after = await repeated(room, () => room.objects.list({ prefix: folder, after: expected[5] ?? '', limit: 100 }));
  if (after.objects[0]?.name !== expected[6]) throw fails(room, 'its listing does not start after the name that it is told');
  const top = await repeated(room, () => room.objects.list({ prefix: folder, delimiter: '/', limit: 100 }));
  if (top.folders.join() !== [`${folder}a/`, `${folder}b/`].join()) throw fails(room, 'its listing does not collapse names by a delimiter');
}

type ProbeOutcome = 'made' | 'refused' | 'unchanged' | 'unknown';

async function outcomeOf(request: () => Promise<unknown>): Promise<ProbeOutcome> {
  try {
    await request();
    return 'made';
  } catch (thrown) {
    if (!(thrown instanceof S3Failure) || thrown.kind === 'fatal') throw thrown;
    if (thrown.kind === 'unchanged') return 'unchanged';
    return thrown.kind === 'refused' || thrown.kind === 'missing' ? 'refused' : 'unknown';
  }
}

/** Repeats a request that is expected to be refused, until an answer comes. */
async function untilKnown(room: Probing, request: () => Promise<unknown>): Promise<ProbeOutcome> {
  return outcomeOf(() => repeated(room, request));
}
