/** What clients do with objects by S3: puts with and without conditions, copies, deletions, tags, reads. */
import { createHash } from 'node:crypto';
import { sha256Of } from '../content.ts';
import type { Random } from '../random.ts';
import type { Name } from '../register.ts';
import { coded } from '../signature.ts';
import type { Condition, Outcome, Thing, Version } from '../states.ts';
import type { Answer, Ask } from '../wire.ts';
import { anyContent, ask, newThing, perform, settle, unexpected, versionIdOf, Violation, type World } from '../world.ts';
import { elements, escaped, text } from '../xml.ts';

export interface Client {
  readonly world: World;
  readonly random: Random;
  readonly who: string;
}

/** `bucket/key` as a path of a request. */
export function pathOf({ bucket, key }: Name): string {
  return `/${bucket}/${key}`;
}

function taken(answer: Answer): Outcome | undefined {
  if (answer.status === 200 || answer.status === 201 || answer.status === 204) return { kind: 'done', ...versionIdOf(answer) };
  if (answer.status === 412) return { kind: 'refused' };
  // A condition on an ETag of what is not there.
  if (answer.status === 404) return { kind: 'refused' };
  return answer.status === 409 ? { kind: 'nothing' } : undefined;
}

export async function putObject({ world, random, who }: Client, name: Name): Promise<void> {
  const content = anyContent(world, random);
  const thing = newThing(world, content, content.md5);
  const only = random.chance(0.3) ? anyCondition(world, random, name) : undefined;
  const tags = anyTags(random);
  const request: Ask = {
    method: 'PUT',
    path: pathOf(name),
    headers: { 'x-amz-meta-mark': thing.mark, ...(tags === '' ? {} : { 'x-amz-tagging': tags }), ...conditionHeaders(only) },
    body: content.bytes(),
    ...(random.chance(0.3) ? { pause: random.between(0, 8) } : {}),
    unsigned: random.chance(0.5),
  };
  await perform(world, name, { kind: 'put', thing, tags, ...(only && { only }) }, { request, judge: taken, who });
}

export async function copyObject({ world, random, who }: Client, name: Name, source: Name): Promise<void> {
  const from = random.pick([...world.register.guess(source).versions, undefined]);
  if (from?.thing === undefined || from.id === undefined) return;
  const { content, etag } = world.things.get(from.thing.mark)!;
  const thing = newThing(world, content, etag);
  const tags = anyTags(random);
  const version = from.id === 'null' ? '' : `?versionId=${from.id}`;
  const request: Ask = {
    method: 'PUT',
    path: pathOf(name),
    headers: {
      'x-amz-copy-source': `${pathOf(source).split('/').map(coded).join('/')}${version}`,
      'x-amz-copy-source-if-match': `"${etag}"`,
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-tagging-directive': 'REPLACE',
      'x-amz-meta-mark': thing.mark,
      ...(tags === '' ? {} : { 'x-amz-tagging': tags }),
    },
  };
  // The source may be gone, or another.
  const judge = (answer: Answer): Outcome | undefined =>
    [404, 412, 400, 405, 409].includes(answer.status) ? { kind: 'nothing' } : answer.whole ? taken(answer) : { kind: 'unknown' };
  await perform(world, name, { kind: 'put', thing, tags }, { request, judge, who });
}

export async function deleteObject({ world, random, who }: Client, name: Name): Promise<void> {
  const known = world.register.guess(name).versions.filter(({ id }) => id !== undefined);
  const version = known.length > 0 && random.chance(0.5) ? random.pick(known) : undefined;
  const only = version === undefined && random.chance(0.15) ? etagCondition(world, name) : undefined;
  const request: Ask = {
    method: 'DELETE',
    path: pathOf(name),
    ...(version === undefined ? {} : { query: { versionId: version.id! } }),
    headers: conditionHeaders(only),
  };
  const about = version === undefined ? {} : { versionId: version.id! };
  await perform(world, name, { kind: 'delete', ...about, ...(only && { only }) }, { request, judge: taken, who });
}

/** Takes old versions away where they have become many. */
export async function pruneVersions({ world, who }: Client, name: Name): Promise<void> {
  const known = world.register.guess(name).versions.filter(({ id }) => id !== undefined);
  for (const { id } of known.slice(4)) {
    const request: Ask = { method: 'DELETE', path: pathOf(name), query: { versionId: id! } };
    await perform(world, name, { kind: 'delete', versionId: id! }, { request, judge: taken, who });
  }
}

/** DeleteObjects: several names by one request, each of them an operation of its own. */
export async function deleteMany({ world, who }: Client, names: readonly Name[]): Promise<void> {
  const list = names.map(({ key }) => `<Object><Key>${escaped(key)}</Key></Object>`).join('');
  const body = Buffer.from(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</Delete>`);
  const md5 = createHash('md5').update(body).digest('base64');
  const request: Ask = { method: 'POST', path: `/${names[0]!.bucket}`, query: { delete: '' }, headers: { 'content-md5': md5 }, body };
  const operations = names.map((name) => ({ name, operation: world.register.begin(name, { kind: 'delete' }, who) }));
  const reply = await ask(world, request);
  for (const { name, operation } of operations) settle(world, operation, reply, (answer) => deletedOf(request, answer, name.key));
}

function deletedOf(request: Ask, answer: Answer, key: string): Outcome {
  if (answer.status !== 200) throw unexpected(request, answer);
  if (!answer.whole) return { kind: 'unknown' };
  const told = elements(answer.body.toString(), 'Deleted').find((one) => text(one, 'Key') === key);
  if (told === undefined) throw unexpected(request, answer);
  const id = text(told, 'DeleteMarkerVersionId');
  return { kind: 'done', ...(id === undefined ? {} : { versionId: id }) };
}

export async function tagObject({ world, random, who }: Client, name: Name): Promise<void> {
  const tags = random.chance(0.2) ? '' : `t=${random.below(1000)}`;
  const set = tags === '' ? '' : `<Tag><Key>t</Key><Value>${tags.slice(2)}</Value></Tag>`;
  const request: Ask = {
    method: 'PUT',
    path: pathOf(name),
    query: { tagging: '' },
    body: Buffer.from(`<Tagging><TagSet>${set}</TagSet></Tagging>`),
  };
  const judge = (answer: Answer): Outcome | undefined => (answer.status === 405 ? { kind: 'refused' } : taken(answer));
  await perform(world, name, { kind: 'tag', tags }, { request, judge, who });
}

/** Reads the current version, or a range of it, and compares what came with what was sent. */
export async function readObject({ world, random, who }: Client, name: Name): Promise<void> {
  const range = random.chance(0.3) ? { first: random.below(2000), last: 2000 + random.below(40_000) } : undefined;
  const headers: Readonly<Record<string, string>> = range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` };
  const request: Ask = { method: 'GET', path: pathOf(name), headers };
  world.counts.read += 1;
  const judge = (answer: Answer): Outcome | undefined => {
    if (answer.status === 404) return { kind: 'done' };
    if (answer.status === 416) return { kind: 'nothing' };
    if (answer.status !== 200 && answer.status !== 206) return undefined;
    compare(world, request, answer, answer.status === 206 ? range : undefined);
    return { kind: 'done', mark: String(answer.headers['x-amz-meta-mark']) };
  };
  await perform(world, name, { kind: 'read' }, { request, judge, who });
}

function compare(world: World, request: Ask, answer: Answer, range: { readonly first: number; readonly last: number } | undefined): void {
  const sent = world.things.get(String(answer.headers['x-amz-meta-mark']));
  if (sent === undefined) throw unexpected(request, answer);
  // What broke off is a beginning still.
  const wanted = sent.content.bytes().subarray(range?.first ?? 0, range === undefined ? undefined : range.last + 1);
  const same = answer.whole ? sha256Of(answer.body) === sha256Of(wanted) : answer.body.equals(wanted.subarray(0, answer.body.length));
  if (!same)
    throw new Violation(`GET ${request.path} answered ${answer.body.length} bytes that are not those of ${sent.mark} (${sent.size}).`);
}

function anyTags(random: Random): string {
  return random.chance(0.3) ? `t=${random.below(1000)}` : '';
}

function anyCondition(world: World, random: Random, name: Name): Condition {
  return (random.chance(0.5) ? etagCondition(world, name) : undefined) ?? { absent: true };
}

function etagCondition(world: World, name: Name): Condition | undefined {
  const current: (Version & { readonly thing?: Thing }) | undefined = world.register.guess(name).versions[0];
  return current?.thing === undefined ? undefined : { etag: current.thing.etag };
}

function conditionHeaders(only: Condition | undefined): Readonly<Record<string, string>> {
  if (only === undefined) return {};
  return 'absent' in only ? { 'if-none-match': '*' } : { 'if-match': `"${only.etag}"` };
}
