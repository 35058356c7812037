/** Makes one change of a batch: what each condition of the contract means in conditional writes of objects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError } from '../../errors.ts';
import type { Change, Revision } from '../contract.ts';
import { newNonce, type Content, type Gone } from './body.ts';
import { isLive, isSealed } from './judge.ts';
import type { Standing } from './recordObjects.ts';
import { readRevision, revisionOf, type Known } from './revision.ts';
import { replace, type Outcome, type Replacement, type Replacing } from './replace.ts';

export interface Changing extends Replacing {
  /** A seal older than this was left by a process that died, and no removal can come any more: it is written over. In ms. */
  readonly sealMs: number;
}

/** Whether a change was made; a lost one has changed nothing. */
export type Made = { readonly revision: Revision } | 'lost';

type Put = Extract<Change, { put: string }>;
type Delete = Extract<Change, { delete: string }>;

/** How long a writer waits for the removal of a sealed tombstone before it asks its own caller to come again, in ms. */
const SEAL_PATIENCE_MS = 3_000;
const SEAL_PAUSE_MS = 100;

/** Writers of one name repeat an unconditional change this often, before they ask their caller to. */
const MOST_ROUNDS = 100;

/** Puts a record. */
export async function putRecord(room: Changing, { put: key, value, ifRevision, ifAbsent }: Put): Promise<Made> {
  if (ifRevision !== undefined) return overRevision(room, { key, content: { value } }, ifRevision);
  return whereverAllowed(room, key, { value }, ifAbsent === true);
}

/** Deletes a record, by a tombstone; `nonce` is the one that its grave is under. Answers `nothing` when there was no record. */
export async function deleteRecord(room: Changing, { delete: key, ifRevision }: Delete, nonce: string): Promise<Made | 'nothing'> {
  const gone: Gone = { gone: 'deleted', at: Date.now() };
  if (ifRevision !== undefined) return overRevision(room, { key, content: gone, nonce }, ifRevision);
  let standing = room.records.lastSeen(key);
  if (!isLive(standing)) standing = await room.records.read(key);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (!isLive(standing)) return 'nothing';
    const outcome = await replace(room, { key, content: gone, expected: expectedOf(standing), nonce });
    if ('made' in outcome) return madeOf(gone, outcome);
    standing = outcome.lost;
  }
  throw contended(room.location);
}

async function overRevision(room: Changing, change: Omit<Replacement, 'expected'>, revision: Revision): Promise<Made> {
  const known = readRevision(revision);
  if (known === undefined) return 'lost';
  const seen = room.records.lastSeen(change.key);
  // A revision never comes back: what was written over it need not be asked for.
  if (seen?.body.past.includes(known.nonce) === true) return 'lost';
  const expected = seen?.body.nonce === known.nonce && seen.etag === known.etag ? expectedOf(seen) : known;
  return madeOf(change.content, await replace(room, { ...change, expected }));
}

/** Over nothing and over tombstones; unless `onlyAbsent`, over whatever stands there too. */
async function whereverAllowed(room: Changing, key: string, content: Content, onlyAbsent: boolean): Promise<Made> {
  const nonce = newNonce();
  let standing = onlyAbsent ? undefined : room.records.lastSeen(key);
  if (isSealed(standing)) standing = undefined;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const outcome = await replace(room, { key, content, expected: standing && expectedOf(standing), nonce });
    if ('made' in outcome) return madeOf(content, outcome);
    standing = isSealed(outcome.lost) ? await unsealed(room, key, outcome.lost) : outcome.lost;
    if (onlyAbsent && isLive(standing)) return 'lost';
  }
  throw contended(room.location);
}

/** Waits until a seal is gone, or is so old that nobody removes it any more. Answers what stands there then. */
async function unsealed(room: Changing, key: string, seal: Standing): Promise<Standing | undefined> {
  const until = performance.now() + SEAL_PATIENCE_MS;
  for (let standing: Standing | undefined = seal; ; standing = await room.records.read(key)) {
    if (!isSealed(standing) || Date.now() - standing.body.at > room.sealMs) return standing;
    if (performance.now() > until) {
      throw new ArtefactError('SlowDown', 'A record of this name was deleted and is being removed just now; try again in a moment.');
    }
    await sleep(SEAL_PAUSE_MS);
  }
}

function expectedOf({ body: { nonce, past, cut }, etag }: Standing) {
  return { nonce, past, etag, ...(cut && { cut }) };
}

function madeOf(content: Content, outcome: Outcome): Made {
  if (!('made' in outcome)) return 'lost';
  return { revision: 'value' in content ? revisionOf(outcome.made satisfies Known) : '' };
}

function contended(location: string): ArtefactError {
  return new ArtefactError('SlowDown', `Too many requests change one record of storage location '${location}'; try again in a moment.`);
}
