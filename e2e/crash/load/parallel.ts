/** Clients that send the ranges of one whole over several connections, in any order. */
import { digestField } from '../content.ts';
import type { Name } from '../register.ts';
import { isReady, type Piece, type Session } from '../session.ts';
import type { Ask } from '../wire.ts';
import { ask, newUploadThing, unexpected, type World } from '../world.ts';
import { target } from './dialects.ts';
import { namingAct, newSession } from './multipart.ts';
import { pathOf, type Client } from './objects.ts';
import { named } from './sequential.ts';
import { isGone, leave, over } from './sessions.ts';

export async function beginParallel({ world, random }: Client, name: Name): Promise<void> {
  const contents = Array.from({ length: random.between(2, 6) }, () => world.contents.fresh(random.between(1, 90_000)));
  const thing = newUploadThing(world, world.contents.joined(contents));
  const request: Ask = {
    method: 'POST',
    path: `/uploads${pathOf(name)}`,
    headers: {
      'upload-mode': 'parallel',
      'upload-length': String(thing.size),
      'repr-digest': digestField(thing.sha256),
      'x-amz-meta-mark': thing.mark,
    },
  };
  const reply = await ask(world, request);
  if (reply.kind !== 'answer') return;
  if (reply.status !== 201 || reply.headers.location === undefined) throw unexpected(request, reply);
  let at = 0;
  const pieces = contents.map((content): Piece => ({ at: (at += content.size) - content.size, content, perhaps: [] }));
  const session: Session = {
    ...name,
    kind: 'parallel',
    thing,
    tags: '',
    id: reply.headers.location,
    born: world.now(),
    pieces,
    ...newSession(),
  };
  world.sessions.add(session);
}

/** Up to three ranges at once; when all are there, the end. */
export async function advanceParallel(client: Client, session: Session): Promise<void> {
  const { world, random } = client;
  if (random.chance(0.05)) return leave(world, session, { method: 'DELETE', ...target(session.id) });
  const waiting = session.pieces.filter((piece) => !isReady(piece));
  if (waiting.length === 0) return complete(client, session);
  const first = random.below(waiting.length);
  const together = [...waiting.slice(first), ...waiting.slice(0, first)].slice(0, random.between(1, 3));
  await Promise.all(together.map((piece) => sendRange(client, session, piece)));
}

async function sendRange({ world, random }: Client, session: Session, piece: Piece): Promise<void> {
  const { at, content } = piece;
  piece.perhaps.push(content);
  const request: Ask = {
    method: random.pick(['PUT', 'PUT', 'PATCH']),
    ...target(session.id),
    headers: { 'content-range': `bytes ${at}-${at + content.size - 1}/${session.thing.size}` },
    body: content.bytes(),
    ...(random.chance(0.4) ? { pause: random.between(0, 8) } : {}),
    unsigned: random.chance(0.5),
  };
  const reply = await ask(world, request);
  if (reply.kind !== 'answer') return;
  if (isGone(world, session, reply)) return over(world, session);
  if (reply.status !== 204) throw unexpected(request, reply);
  piece.kept = content;
  piece.perhaps = [];
}

async function complete({ world, who }: Client, session: Session): Promise<void> {
  const to = target(session.id);
  const request: Ask = { method: 'POST', path: to.path, query: { ...to.query, complete: '' } };
  const operation = world.register.begin(session, namingAct(world, session), who);
  const reply = await ask(world, request);
  if (reply.kind === 'answer' && reply.status === 201) return named(world, session, operation, reply);
  world.register.end(operation, { kind: reply.kind === 'lost' ? 'unknown' : 'nothing' });
  if (reply.kind === 'lost') session.naming.push(operation);
  if (reply.kind === 'answer') again(world, session, request, reply);
}

function again(world: World, session: Session, request: Ask, reply: Parameters<typeof isGone>[2]): void {
  if (isGone(world, session, reply)) return over(world, session);
  // Many writers of one name: it may be tried again.
  if (reply.status !== 409) throw unexpected(request, reply);
}
