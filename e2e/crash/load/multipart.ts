/** S3's multipart uploads: begun, given parts, some of them twice, completed or aborted. */
import { joinedEtag, type Content } from '../content.ts';
import type { Name } from '../register.ts';
import { isReady, type Piece, type Session } from '../session.ts';
import type { Act, Outcome } from '../states.ts';
import type { Answer, Ask } from '../wire.ts';
import { ask, newThing, settle, unexpected, versionIdOf, type World } from '../world.ts';
import { text } from '../xml.ts';
import { pathOf, type Client } from './objects.ts';
import { isGone, leave, over } from './sessions.ts';

const MIB = 1024 * 1024;

export async function beginMultipart({ world, random }: Client, name: Name): Promise<void> {
  const last = world.contents.fresh(random.between(1, 200_000));
  // Parts but for the last have at least 5 MiB, which take their time: there are few of them.
  const parts = random.chance(0.12) ? [world.contents.fresh(5 * MIB + random.below(1000)), last] : [last];
  const thing = newThing(world, world.contents.joined(parts), joinedEtag(parts));
  const tags = random.chance(0.3) ? `t=${random.below(1000)}` : '';
  const request: Ask = {
    method: 'POST',
    path: pathOf(name),
    query: { uploads: '' },
    headers: { 'x-amz-meta-mark': thing.mark, ...(tags === '' ? {} : { 'x-amz-tagging': tags }) },
  };
  const reply = await ask(world, request);
  if (reply.kind === 'answer' && reply.status !== 200) throw unexpected(request, reply);
  const id = reply.kind === 'answer' && reply.whole ? text(reply.body.toString(), 'UploadId') : undefined;
  if (id === undefined) {
    world.unheard.add(`${name.bucket}/${name.key}`);
    return;
  }
  const pieces = parts.map((content, index): Piece => ({ at: index + 1, content, perhaps: [] }));
  world.sessions.add({ ...name, kind: 'multipart', thing, tags, id, born: world.now(), pieces, ...newSession() });
}

/** What every session begins with. */
export function newSession() {
  return { acknowledged: 0, sent: 0, partials: [], naming: [], fate: 'open' as const, unsure: false, busy: false };
}

export async function advanceMultipart(client: Client, session: Session): Promise<void> {
  const { random } = client;
  const waiting = session.pieces.filter((piece) => !isReady(piece));
  if (random.chance(0.08)) return abort(client, session);
  if (waiting.length > 0) return sendPart(client, session, random.pick(waiting), random.chance(0.15));
  return complete(client, session);
}

/** Sends the content of the part; or first another, which the right one then replaces. */
async function sendPart({ world, random }: Client, session: Session, piece: Piece, wrong: boolean): Promise<void> {
  const content: Content = wrong ? world.contents.fresh(random.between(1, 5000)) : piece.content;
  piece.perhaps.push(content);
  const request: Ask = {
    method: 'PUT',
    path: pathOf(session),
    query: { partNumber: String(piece.at), uploadId: session.id },
    body: content.bytes(),
    ...(random.chance(0.3) ? { pause: random.between(0, 8) } : {}),
    unsigned: random.chance(0.5),
  };
  const reply = await ask(world, request);
  if (reply.kind === 'lost') return;
  if (reply.kind === 'unsent') {
    piece.perhaps.pop();
    return;
  }
  if (isGone(world, session, reply)) return over(world, session);
  if (reply.status !== 200 || reply.headers.etag !== `"${content.md5}"`) throw unexpected(request, reply);
  // The newest part of a number is the one that counts.
  piece.kept = content;
  piece.perhaps = [];
}

async function complete({ world, who }: Client, session: Session): Promise<void> {
  const parts = session.pieces.map(({ at, content }) => `<Part><PartNumber>${at}</PartNumber><ETag>"${content.md5}"</ETag></Part>`);
  const request: Ask = {
    method: 'POST',
    path: pathOf(session),
    query: { uploadId: session.id },
    body: Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`),
  };
  const operation = world.register.begin(session, namingAct(world, session), who);
  const reply = await ask(world, request);
  settle(world, operation, reply, (answer) => completed(world, session, { request, answer }));
  if (operation.outcome.kind === 'done') {
    session.fate = 'named';
    return over(world, session);
  }
  if (operation.outcome.kind === 'unknown') session.naming.push(operation);
  else if (reply.kind === 'answer' && isGone(world, session, reply)) over(world, session);
}

function completed(world: World, session: Session, { request, answer }: { readonly request: Ask; readonly answer: Answer }): Outcome {
  if (!answer.whole) return { kind: 'unknown' };
  if (answer.status === 200 && text(answer.body.toString(), 'ETag') === `"${session.thing.etag}"`)
    return { kind: 'done', ...versionIdOf(answer) };
  // Many writers of one name: it may be tried again.
  if (answer.status === 409 || isGone(world, session, answer)) return { kind: 'nothing' };
  throw unexpected(request, answer);
}

async function abort(client: Client, session: Session): Promise<void> {
  const request: Ask = { method: 'DELETE', path: pathOf(session), query: { uploadId: session.id } };
  await leave(client.world, session, request);
}

/** The act of naming what the session brings, once. Where records do not change together, a repeated completion may make it again. */
export function namingAct(world: World, { thing, tags, id }: Session): Act {
  return { kind: 'put', thing, tags, upload: id, ...(world.transactional ? {} : { again: true }) };
}
