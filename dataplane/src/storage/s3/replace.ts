/** One conditional write of a record's object, repeated until its outcome is known. */
import { encodeBody, newNonce, pastOf, type Body, type Content, type Replaced } from './body.ts';
import { S3Failure, translate, unavailable } from './failure.ts';
import { judge, type Expected } from './judge.ts';
import { nameOf } from './names.ts';
import type { Etag, Objects } from './objects.ts';
import { beginTries, type Patience } from './patience.ts';
import { RECORDS, type RecordObjects, type Standing } from './recordObjects.ts';

export interface Replacing extends Patience {
  readonly objects: Objects;
  readonly records: RecordObjects;
}

/** How a write ended. `lost`: something else stood there, which is answered too. */
export type Outcome = { readonly made: { readonly nonce: string; readonly etag: Etag } } | { readonly lost: Standing | undefined };

/** What is written over what. */
export interface Replacement {
  readonly key: string;
  readonly content: Content;
  /** Nothing, or what is known by nonce and ETag. */
  readonly expected: (Exclude<Replaced, undefined> & Exclude<Expected, undefined>) | undefined;
  /** Under this one, when an earlier write of the same change had it. */
  readonly nonce?: string;
}

/** Refusals of a condition that seems to hold, before the server is not believed any more. */
const ODD_REFUSALS = 10;

/**
 * Writes over just what is expected. Throws `Unavailable` or `SlowDown` when the outcome cannot be known; then it may have been made.
 */
export async function replace(room: Replacing, { key, content, expected, nonce = newNonce() }: Replacement): Promise<Outcome> {
  const body: Body = { key, nonce, ...pastOf(expected), ...content };
  const tries = beginTries(room);
  let answered = true;
  for (let refusals = 0; ;) {
    const { etag, failure } = await attempt(room, body, expected?.etag);
    if (etag !== undefined) return { made: { nonce, etag } };
    answered &&= failure.kind === 'busy' || isRefusal(failure);
    const outcome = await settle(room, body, expected, { failure, answered });
    if (outcome) return outcome;
    if (!isRefusal(failure)) await tries.again(failure);
    else if ((refusals += 1) > ODD_REFUSALS)
      throw unavailable(room.location, 'it refuses conditional writes whose condition holds', failure);
  }
}

function isRefusal({ kind }: S3Failure): boolean {
  return kind === 'refused' || kind === 'missing';
}

type Attempt = { readonly etag: Etag; readonly failure?: never } | { readonly etag?: never; readonly failure: S3Failure };

async function attempt({ objects, records, budget, location }: Replacing, body: Body, over: Etag | undefined): Promise<Attempt> {
  const bytes = encodeBody(body);
  try {
    const condition = over === undefined ? { ifAbsent: true as const } : { ifMatch: over };
    const etag = await objects.put(RECORDS + nameOf(body.key), bytes, { condition });
    budget.earn();
    records.note(body, etag, bytes);
    return { etag };
  } catch (thrown) {
    if (thrown instanceof S3Failure && thrown.kind !== 'fatal') return { failure: thrown };
    throw thrown instanceof S3Failure ? translate(thrown, location) : thrown;
  }
}

/** What the attempts so far have come to, by what stands there now; undefined when another may be made. */
async function settle(
  { records, location }: Replacing,
  { key, nonce }: Body,
  expected: Expected,
  { failure, answered }: { readonly failure: S3Failure; readonly answered: boolean },
): Promise<Outcome | undefined> {
  const standing = await records.read(key);
  switch (judge(nonce, expected, standing, answered)) {
    case 'made':
      // Once it is replaced nobody can know its ETag, nor make use of it.
      return { made: { nonce, etag: standing?.body.nonce === nonce ? standing.etag : 'replaced' } };
    case 'lost':
      return { lost: standing };
    case 'unknown':
      throw undecided(location, failure);
    case 'open':
      return undefined;
  }
}

function undecided(location: string, cause: unknown): Error {
  return unavailable(
    location,
    'its answer was lost and many have written since, so this change may or may not have been made; read again and retry',
    cause,
  );
}
