/** tus' concatenation: partial uploads that one request makes the content of a name. */
import type { Name } from '../register.ts';
import type { Session } from '../session.ts';
import type { Ask } from '../wire.ts';
import { ask, newUploadThing, unexpected, type World } from '../world.ts';
import { newSession } from './multipart.ts';
import { pathOf, type Client } from './objects.ts';
import { advanceSequential, beginSequential } from './sequential.ts';
import { isGone } from './sessions.ts';

/** Begins the partial uploads; the whole is known only to the client until it is joined. */
export async function beginJoined(client: Client, name: Name): Promise<void> {
  const { world, random } = client;
  const partials: Session[] = [];
  for (let count = random.between(1, 3); count > 0; count -= 1) {
    const partial = await beginSequential(client, name, 'partial');
    if (partial === undefined) return;
    // Only its whole moves it on.
    partial.busy = true;
    partials.push(partial);
  }
  const thing = newUploadThing(world, world.contents.joined(partials.map(({ thing: part }) => part.content)));
  world.sessions.add({
    ...name,
    kind: 'joined',
    thing,
    tags: '',
    id: thing.mark,
    born: partials[0]!.born,
    pieces: [],
    ...newSession(),
    partials,
  });
}

export async function advanceJoined(client: Client, session: Session): Promise<void> {
  const { world, random } = client;
  // One that was given up or is too old takes the others with it.
  if (!session.partials.every((partial) => world.sessions.has(partial) && partial.fate === 'open')) return giveUp(world, session);
  const waiting = session.partials.filter(({ unsure, acknowledged, thing }) => unsure || acknowledged < thing.size);
  if (waiting.length > 0) return advanceSequential(client, random.pick(waiting));
  await join(client, session);
}

async function join({ world, who }: Client, session: Session): Promise<void> {
  const { thing, partials } = session;
  const request: Ask = {
    method: 'POST',
    path: `/uploads${pathOf(session)}`,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-concat': `final;${partials.map(({ id }) => id).join(' ')}`,
      'upload-metadata': `mark ${Buffer.from(thing.mark).toString('base64')}`,
    },
  };
  const operation = world.register.begin(session, { kind: 'put', thing, tags: '' }, who);
  const reply = await ask(world, request);
  if (reply.kind === 'answer' && reply.status === 201) {
    const id = reply.headers['x-amz-version-id'];
    world.register.end(operation, { kind: 'done', ...(typeof id === 'string' ? { versionId: id } : {}) });
    return forget(world, session);
  }
  world.register.end(operation, { kind: reply.kind === 'lost' ? 'unknown' : 'nothing' });
  if (reply.kind === 'lost') joiningLost(session, operation);
  if (reply.kind === 'answer' && isGone(world, session, reply)) return forget(world, session);
  if (reply.kind === 'answer' && reply.status !== 409) throw unexpected(request, reply);
}

/** From now on the partial uploads may be gone, and are asked before anything else. */
function joiningLost(session: Session, operation: Session['naming'][number]): void {
  for (const one of [session, ...session.partials]) {
    one.naming.push(operation);
    one.unsure = true;
  }
}

/** The whole goes; what is left of its parts is looked at by the checker, until it is too old. */
function giveUp(world: World, session: Session): void {
  world.sessions.delete(session);
}

function forget(world: World, session: Session): void {
  for (const one of [session, ...session.partials]) world.sessions.delete(one);
}
