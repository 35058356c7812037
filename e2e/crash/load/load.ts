/** The mixed load: several clients, each making one choice after the other, until they are told to stop. */
import type { Name } from '../register.ts';
import type { Session } from '../session.ts';
import type { World } from '../world.ts';
import { advanceJoined, beginJoined } from './joined.ts';
import { listBucket } from './lists.ts';
import { advanceMultipart, beginMultipart } from './multipart.ts';
import { copyObject, deleteMany, deleteObject, pruneVersions, putObject, readObject, tagObject, type Client } from './objects.ts';
import { advanceParallel, beginParallel } from './parallel.ts';
import { advanceSequential, beginSequential } from './sequential.ts';

const CLIENTS = 7;

/** Sessions that may be open at once; more would only grow old. */
const MOST_SESSIONS = 16;

const KEYS = [
  'hot', 'warm', 'a/one', 'a/two', 'a/b/three', 'a/b/four', 'b/five', 'b/ä ö+&<six>', 'b/%2F~seven', 'c', 'c/', 'c//eight', '😀/nine', 'last',
] as const; // prettier-ignore

/** Runs clients until `stopped`; resolves when each has made its last request. */
export async function runLoad(world: World, stopped: () => boolean, round: number): Promise<void> {
  const clients = Array.from({ length: CLIENTS }, async (_, index) => {
    const random = world.random.child(`round ${round} client ${index}`);
    while (!stopped()) {
      const client: Client = { world, random, who: `c${index}` };
      await ACTS[random.weighted(SHARES)](client, anyName(client));
    }
  });
  const outcomes = await Promise.allSettled(clients);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

const SHARES = {
  put: 26,
  copy: 7,
  delete: 9,
  deleteMany: 2,
  prune: 2,
  tag: 4,
  read: 10,
  list: 3,
  begin: 10,
  advance: 42,
} as const;

const ACTS: Readonly<Record<keyof typeof SHARES, (client: Client, name: Name) => Promise<void>>> = {
  put: putObject,
  copy: (client, name) => copyObject(client, name, anyName(client)),
  delete: deleteObject,
  deleteMany: (client, name) => deleteMany(client, distinct([name, ...[1, 2, 3].map(() => ({ ...anyName(client), bucket: name.bucket }))])),
  prune: pruneVersions,
  tag: tagObject,
  read: readObject,
  list: (client, { bucket }) => listBucket(client, bucket),
  begin,
  advance,
};

/** One name in three or so is among the two that everybody wants. */
function anyName({ world, random }: Client): Name {
  const bucket = random.pick(world.buckets).name;
  return { bucket, key: random.chance(0.25) ? KEYS[random.below(2)]! : random.pick(KEYS) };
}

function distinct(names: readonly Name[]): readonly Name[] {
  return [...new Map(names.map((name) => [name.key, name])).values()];
}

async function begin(client: Client, name: Name): Promise<void> {
  const { world, random } = client;
  if (world.sessions.size >= MOST_SESSIONS) return advance(client);
  const kind = random.weighted({ multipart: 5, tus: 5, ietf: 4, plain: 4, parallel: 4, joined: 2 });
  switch (kind) {
    case 'multipart':
      return beginMultipart(client, name);
    case 'parallel':
      return beginParallel(client, name);
    case 'joined':
      return beginJoined(client, name);
    case 'tus':
    case 'ietf':
    case 'plain':
      await beginSequential(client, name, kind);
  }
}

async function advance(client: Client): Promise<void> {
  const { world, random } = client;
  const free = [...world.sessions].filter(({ busy, fate }) => !busy && fate === 'open');
  if (free.length === 0) return readObject(client, anyName(client));
  const session = random.pick(free);
  session.busy = true;
  try {
    await advanceOne(client, session);
  } finally {
    session.busy = false;
  }
}

function advanceOne(client: Client, session: Session): Promise<void> {
  switch (session.kind) {
    case 'multipart':
      return advanceMultipart(client, session);
    case 'parallel':
      return advanceParallel(client, session);
    case 'joined':
      return advanceJoined(client, session);
    case 'partial':
    case 'tus':
    case 'ietf':
    case 'plain':
      return advanceSequential(client, session);
  }
}
