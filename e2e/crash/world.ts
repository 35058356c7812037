/** What the clients and the checker of one data directory share. */
import { type Content, type Contents, uploadEtag } from './content.ts';
import type { Instance } from './instance.ts';
import type { Random } from './random.ts';
import type { Name, Register } from './register.ts';
import type { Session } from './session.ts';
import type { Act, Operation, Outcome, Thing, Versioning } from './states.ts';
import type { Answer, Ask, Reply, Wire } from './wire.ts';

/** A promise that the server broke. */
export class Violation extends Error {}

export interface Bucket {
  readonly name: string;
  versioning: Versioning;
}

export interface World {
  readonly random: Random;
  readonly contents: Contents;
  readonly register: Register;
  readonly instance: Instance;
  readonly buckets: readonly Bucket[];
  /** Upload sessions that are not known to be over. */
  readonly sessions: Set<Session>;
  /** Names under which a session may have been begun of which no answer told. */
  readonly unheard: Set<string>;
  /** Everything that was ever sent, by mark. */
  readonly things: Map<string, Sent>;
  readonly counts: Counts;
  /** Records of the storage location change all or none at a time. */
  readonly transactional: boolean;
  wire: Wire;
  /** The server's clock is this far ahead, in ms. */
  ahead: number;
  now(): number;
}

export interface Sent extends Thing {
  readonly content: Content;
}

/** For the log. */
export interface Counts {
  asked: number;
  acknowledged: number;
  lost: number;
  read: number;
}

/** A thing to be sent, known to the world from now on. */
export function newThing(world: World, content: Content, etag: string): Sent {
  const thing: Sent = { mark: `m${world.things.size + 1}`, size: content.size, sha256: content.sha256, etag, content };
  world.things.set(thing.mark, thing);
  return thing;
}

/** The same for what a resumable upload makes. */
export function newUploadThing(world: World, content: Content): Sent {
  return newThing(world, content, uploadEtag(content));
}

/** Sizes around everything that the store treats differently, small ones mostly. */
export function anyContent(world: World, random: Random): Content {
  if (random.chance(0.25)) return world.contents.shared(random.below(100));
  // The s3 driver sends more than 8 MiB in parts.
  const kind = random.weighted({ empty: 2, small: 50, edge: 12, file: 25, large: 3, huge: world.transactional ? 0 : 1 });
  return world.contents.fresh(sizeOf(kind, random));
}

const KIB = 1024;

function sizeOf(kind: 'empty' | 'small' | 'edge' | 'file' | 'large' | 'huge', random: Random): number {
  switch (kind) {
    case 'empty':
      return 0;
    case 'small':
      return random.between(1, 4 * KIB);
    case 'edge':
      return 32 * KIB + random.between(-2, 2);
    case 'file':
      return random.between(33 * KIB, 300 * KIB);
    case 'large':
      return random.between(1024 * KIB, 3072 * KIB);
    case 'huge':
      return 9 * 1024 * KIB;
  }
}

/** Asks, and counts what became of it. An answer of 5xx is a violation: nothing here is the server's excuse. */
export async function ask(world: World, request: Ask): Promise<Reply> {
  world.counts.asked += 1;
  const reply = await world.wire.ask(request);
  if (reply.kind !== 'answer') world.counts.lost += 1;
  else if (reply.status < 300) world.counts.acknowledged += 1;
  if (reply.kind === 'answer' && reply.status >= 500) throw unexpected(request, reply);
  return reply;
}

/** The violation that an answer is which cannot be. */
export function unexpected({ method, path, query }: Ask, { status, body, headers }: Answer): Violation {
  const about = `${method} ${path} ${JSON.stringify(query ?? {})}`;
  return new Violation(`${about} was answered ${status}: ${body.toString().slice(0, 600)} ${JSON.stringify(headers)}`);
}

/** Performs one act on a name by one request, and notes it. `judge` reads the outcome out of an answer. */
export async function perform(
  world: World,
  name: Name,
  act: Act,
  { request, judge, who }: { readonly request: Ask; readonly judge: (answer: Answer) => Outcome | undefined; readonly who: string },
): Promise<Reply> {
  const operation = world.register.begin(name, act, who);
  const reply = await ask(world, request);
  settle(world, operation, reply, (answer) => {
    const outcome = judge(answer);
    if (outcome === undefined) throw unexpected(request, answer);
    return outcome;
  });
  return reply;
}

/** Notes what became of an operation. */
export function settle(world: World, operation: Operation, reply: Reply, judge: (answer: Answer) => Outcome): void {
  if (reply.kind === 'answer') world.register.end(operation, judge(reply));
  else world.register.end(operation, { kind: reply.kind === 'unsent' ? 'nothing' : 'unknown' });
}

/** The version id that an answer tells. */
export function versionIdOf({ headers }: Answer): { readonly versionId?: string } {
  const id = headers['x-amz-version-id'];
  return typeof id === 'string' ? { versionId: id } : {};
}
