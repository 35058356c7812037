/** After a restart: every session stands where its answers said, with the bytes that came. */
import { whereIsIt, goneOrNamed } from '../load/sequential.ts';
import { target } from '../load/dialects.ts';
import { namingAct } from '../load/multipart.ts';
import { isGone } from '../load/sessions.ts';
import type { Content } from '../content.ts';
import type { Piece, Session } from '../session.ts';
import type { Ask } from '../wire.ts';
import { ask, unexpected, versionIdOf, Violation, type World } from '../world.ts';
import { elements, text } from '../xml.ts';
import { readUploads } from './listing.ts';
import { must, several } from './together.ts';

/** Asks for every session. What was acknowledged is there; what was ended stays ended. Throws a `Violation`. */
export async function checkSessions(world: World): Promise<void> {
  await several([...world.sessions], (session) => checkSession(world, session));
  for (const { name } of world.buckets) await checkUploadList(world, name);
}

async function checkSession(world: World, session: Session): Promise<void> {
  switch (session.kind) {
    case 'joined':
      return;
    case 'multipart':
      return checkParts(world, session);
    case 'parallel':
      return checkRanges(world, session);
    case 'partial':
    case 'tus':
    case 'ietf':
    case 'plain':
      await whereIsIt({ world, who: 'check' }, session);
      if (world.sessions.has(session)) await checkStaged(world, session);
  }
}

/** Bytes that came can be read by their sender, before they have a name. */
async function checkStaged(world: World, session: Session): Promise<void> {
  if (session.acknowledged === 0) return;
  await compareStaged(world, session, { at: 0, bytes: session.thing.content.bytes().subarray(0, session.acknowledged) });
}

async function compareStaged(
  world: World,
  session: Session,
  { at, bytes }: { readonly at: number; readonly bytes: Buffer },
): Promise<void> {
  const request: Ask = { method: 'GET', ...target(session.id), headers: { range: `bytes=${at}-${at + bytes.length - 1}` } };
  const answer = must(await ask(world, request));
  if (answer.status === 206 && answer.body.equals(bytes)) return;
  throw new Violation(
    `${session.id} (${session.kind}) holds other bytes than were sent: ${answer.status}, ${answer.body.length} of ${bytes.length} from ${at}`,
  );
}

async function checkParts(world: World, session: Session): Promise<void> {
  const request: Ask = { method: 'GET', path: `/${session.bucket}/${session.key}`, query: { uploadId: session.id } };
  const answer = must(await ask(world, request));
  if (isGone(world, session, answer)) return goneOrNamed(world, session);
  if (answer.status !== 200) throw unexpected(request, answer);
  standsOpen(world, session);
  const there = new Map(elements(answer.body.toString(), 'Part').map((part) => [Number(text(part, 'PartNumber')), part]));
  for (const piece of session.pieces) checkPart(session, piece, there.get(piece.at));
}

/** The part that is listed is the acknowledged one, or one that was sent later; none only where none was acknowledged. */
function checkPart(session: Session, piece: Piece, part: string | undefined): void {
  const found = part === undefined ? undefined : contentOf(piece, part);
  if (found === undefined && (part !== undefined || piece.kept !== undefined)) {
    throw new Violation(`Part ${piece.at} of ${session.id} is ${part ?? 'not there'}; acknowledged was ${piece.kept?.md5 ?? 'none'}.`);
  }
  piece.kept = found;
  piece.perhaps = [];
}

function contentOf({ kept, perhaps }: Piece, part: string): Content | undefined {
  const etag = text(part, 'ETag');
  const size = Number(text(part, 'Size'));
  return [kept, ...perhaps].find((content) => content !== undefined && `"${content.md5}"` === etag && content.size === size);
}

async function checkRanges(world: World, session: Session): Promise<void> {
  const request: Ask = { method: 'GET', ...target(session.id) };
  const answer = must(await ask(world, request));
  if (isGone(world, session, answer)) return goneOrNamed(world, session);
  if (answer.status !== 200) throw unexpected(request, answer);
  const status = JSON.parse(answer.body.toString()) as { readonly complete: boolean; readonly stored?: readonly string[] };
  if (status.complete) {
    const operation = world.register.begin(session, namingAct(world, session), 'check');
    world.register.end(operation, { kind: 'done', ...versionIdOf(answer) });
    return goneOrNamed(world, session);
  }
  standsOpen(world, session);
  const spans = (status.stored ?? []).map((span) => span.split('-').map(Number));
  for (const piece of session.pieces) await checkRange(world, session, { piece, spans });
}

async function checkRange(
  world: World,
  session: Session,
  { piece, spans }: { readonly piece: Piece; readonly spans: readonly (readonly number[])[] },
): Promise<void> {
  const end = piece.at + piece.content.size - 1;
  const there = spans.some(([first = 0, last = 0]) => first <= piece.at && last >= end);
  if (piece.kept !== undefined && !there) {
    throw new Violation(`The range ${piece.at}-${end} of ${session.id} was acknowledged, and is not among ${JSON.stringify(spans)}.`);
  }
  piece.kept = there ? piece.content : undefined;
  piece.perhaps = [];
  if (there) await compareStaged(world, session, { at: piece.at, bytes: piece.content.bytes() });
}

/** What was to end it did not, and cannot any more. */
function standsOpen(world: World, session: Session): void {
  if (session.fate === 'aborted') throw new Violation(`The upload ${session.id} was aborted, and is there again.`);
  session.fate = 'open';
  if (world.transactional) for (const operation of session.naming.splice(0)) world.register.end(operation, { kind: 'nothing' });
}

/** ListMultipartUploads shows the open ones, and none but those of which no client may have heard. */
async function checkUploadList(world: World, bucket: string): Promise<void> {
  const listed = must(await readUploads(world, bucket));
  const open = [...world.sessions].filter((session) => session.kind === 'multipart' && session.bucket === bucket);
  for (const { id, key } of open) {
    if (!listed.some((one) => one.id === id && one.key === key))
      throw new Violation(`ListMultipartUploads of ${bucket} does not show ${key} ${id}.`);
  }
  for (const { id, key } of listed) {
    const known = open.some((session) => session.id === id) || world.unheard.has(`${bucket}/${key}`);
    if (!known) throw new Violation(`ListMultipartUploads of ${bucket} shows ${key} ${id}, which is over, or was never begun.`);
  }
}
