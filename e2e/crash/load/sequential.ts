/** Clients of sessions that take their bytes in order: they append, ask after each break where to go on, and finish or give up. */
import type { Name } from '../register.ts';
import { ageOf, type Session } from '../session.ts';
import type { Operation } from '../states.ts';
import type { Answer, Ask, Reply } from '../wire.ts';
import { ask, newUploadThing, settle, unexpected, versionIdOf, Violation, type Sent, type World } from '../world.ts';
import { dialectOf, offsetOf } from './dialects.ts';
import { namingAct, newSession } from './multipart.ts';
import { pathOf, type Client } from './objects.ts';
import { isGone, leave, over } from './sessions.ts';

const KIB = 1024;

/** Begins one; answers it, or undefined when nobody knows whether it was begun. */
export async function beginSequential(
  client: Client,
  name: Name,
  kind: 'tus' | 'ietf' | 'plain' | 'partial',
): Promise<Session | undefined> {
  const { world, random } = client;
  const size = random.chance(0.5) ? random.between(1, 8 * KIB) : random.between(8 * KIB, 500 * KIB);
  const thing = newUploadThing(world, random.chance(0.1) ? world.contents.shared(random.between(1, 5)) : world.contents.fresh(size));
  const request = dialectOf(kind).begin({ path: pathOf(name), thing, random, partial: kind === 'partial' });
  const reply = await beginning(client, name, { request, thing });
  if (reply.kind !== 'answer' || isComplete(reply)) return undefined;
  if (reply.status !== 201 || reply.headers.location === undefined) throw unexpected(request, reply);
  const id = reply.headers.location;
  const session: Session = { ...name, kind, thing, tags: '', id, born: world.now(), pieces: [], ...newSession() };
  world.sessions.add(session);
  return session;
}

/** Bytes that the store has and whose digest is stated are named at once. */
async function beginning(
  { world, who }: Client,
  name: Name,
  { request, thing }: { readonly request: Ask; readonly thing: Sent },
): Promise<Reply> {
  if (request.headers?.['repr-digest'] === undefined) return ask(world, request);
  const operation = world.register.begin(name, { kind: 'put', thing, tags: '' }, who);
  const reply = await ask(world, request);
  settle(world, operation, reply, (answer) => (isComplete(answer) ? { kind: 'done', ...versionIdOf(answer) } : { kind: 'nothing' }));
  return reply;
}

function isComplete({ status, headers }: Answer): boolean {
  return status < 300 && headers['upload-complete'] === '?1';
}

/** One request: the next bytes, the question where to go on, or the end. */
export async function advanceSequential(client: Client, session: Session): Promise<void> {
  const { world, random } = client;
  if (session.unsure || random.chance(0.05)) return whereIsIt(client, session);
  if (random.chance(0.03)) return leave(world, session, dialectOf(session.kind).leave(session));
  const left = session.thing.size - session.acknowledged;
  const size = Math.min(left, random.chance(0.8) ? random.between(1, 24 * KIB) : random.between(24 * KIB, 300 * KIB));
  await append(client, session, size);
}

async function append(client: Client, session: Session, size: number): Promise<void> {
  const { world, random } = client;
  const { kind, thing, acknowledged } = session;
  const end = acknowledged + size;
  const last = end === thing.size;
  const bytes = thing.content.bytes().subarray(acknowledged, end);
  const base = dialectOf(kind).append({ session, bytes, last, random });
  const request: Ask = {
    ...base,
    ...(random.chance(0.4) ? { pause: random.between(0, 8) } : {}),
    unsigned: random.chance(0.5),
    onInterim: (headers) => promised(session, offsetOf({ headers })),
  };
  session.sent = Math.max(session.sent, end);
  const operation = last && kind !== 'partial' ? world.register.begin(session, namingAct(world, session), client.who) : undefined;
  const reply = await ask(world, request);
  appended(world, session, { request, reply, end, operation });
}

interface Appended {
  readonly request: Ask;
  readonly reply: Reply;
  readonly end: number;
  readonly operation: Operation | undefined;
}

function appended(world: World, session: Session, { request, reply, end, operation }: Appended): void {
  if (reply.kind !== 'answer') {
    session.unsure = true;
    if (operation !== undefined) lostNaming(world, session, operation, reply);
    return;
  }
  if (isGone(world, session, reply)) return gone(world, session, operation);
  if (reply.status >= 300) return refused(world, session, { request, reply, operation });
  const told = offsetOf(reply);
  if (told !== undefined && told !== end) throw unexpected(request, reply);
  session.acknowledged = end;
  if (operation !== undefined) named(world, session, operation, reply);
}

/** Many writers of one name, of which this one lost: its bytes are there, and may be named later. */
function refused(
  world: World,
  session: Session,
  { request, reply, operation }: { readonly request: Ask; readonly reply: Answer; readonly operation: Operation | undefined },
): void {
  if (reply.status !== 409 || operation === undefined) throw unexpected(request, reply);
  world.register.end(operation, { kind: 'nothing' });
  session.unsure = true;
}

function gone(world: World, session: Session, operation: Operation | undefined): void {
  if (operation !== undefined) world.register.end(operation, { kind: 'nothing' });
  over(world, session);
}

/** What an interim answer promised. */
function promised(session: Session, offset: number | undefined): void {
  if (offset !== undefined) session.acknowledged = Math.max(session.acknowledged, offset);
}

function lostNaming(world: World, session: Session, operation: Operation, reply: Reply): void {
  world.register.end(operation, { kind: reply.kind === 'lost' ? 'unknown' : 'nothing' });
  if (reply.kind === 'lost') session.naming.push(operation);
}

/** The name was acknowledged: whatever was asked for before without an answer has become that, too. */
export function named(world: World, session: Session, operation: Operation, answer: Answer): void {
  world.register.end(operation, { kind: 'done', ...versionIdOf(answer) });
  session.fate = 'named';
  over(world, session);
}

/** Asks for the offset, which is never less than what was acknowledged, nor more than what was sent. */
export async function whereIsIt({ world, who }: Pick<Client, 'world' | 'who'>, session: Session): Promise<void> {
  const dialect = dialectOf(session.kind);
  const mayBeNamed = session.kind !== 'partial' && session.sent === session.thing.size;
  const request = dialect.where(session);
  const operation = mayBeNamed ? world.register.begin(session, namingAct(world, session), who) : undefined;
  const reply = await ask(world, request);
  session.unsure = true;
  if (operation !== undefined && isNamedBy(reply, session)) return named(world, session, operation, reply as Answer);
  // Where asking names nothing, whatever became of the question changed nothing.
  if (operation !== undefined) lostNaming(world, session, operation, dialect.askingNames ? reply : { kind: 'unsent' });
  if (reply.kind === 'answer') notNamed(world, session, { request, reply });
}

function isNamedBy(reply: Reply, session: Session): boolean {
  return reply.kind === 'answer' && reply.status < 300 && dialectOf(session.kind).isNamed(reply, session);
}

function notNamed(world: World, session: Session, { request, reply }: { readonly request: Ask; readonly reply: Answer }): void {
  if (isGone(world, session, reply)) return goneOrNamed(world, session);
  // Asking was to name it, and many others name the same.
  if (reply.status === 409) return;
  if (reply.status >= 300) throw unexpected(request, reply);
  if (session.fate === 'aborted') throw new Violation(`The upload ${session.id} was ended, and is there again.`);
  stands(world, session, { request, reply });
}

/** A session that was to be named, and is no more, has its name; unless it was given up, or too old. */
export function goneOrNamed(world: World, session: Session): void {
  const [only, ...more] = session.naming;
  const mustBe = session.fate === 'open' && ageOf(session, world.now()) === 'young' && more.length === 0;
  if (mustBe && only?.outcome.kind === 'unknown') world.register.end(only, { kind: 'done' });
  world.sessions.delete(session);
}

function stands(world: World, session: Session, { request, reply }: { readonly request: Ask; readonly reply: Answer }): void {
  const offset = offsetOf(reply);
  if (offset === undefined || offset < session.acknowledged || offset > session.sent) {
    throw new Violation(
      `${request.method} ${session.id} (${session.kind}) tells the offset ${offset}; ${session.acknowledged} were acknowledged, ${session.sent} sent.`,
    );
  }
  session.acknowledged = offset;
  session.unsure = false;
  if (session.fate === 'leaving') session.fate = 'open';
  // It stands open: what was to name it did not, and cannot any more.
  if (world.transactional) for (const operation of session.naming.splice(0)) world.register.end(operation, { kind: 'nothing' });
}
