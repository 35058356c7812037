/** After a restart: every name is what it may be, byte by byte, and every listing agrees with that. */
import { sha256Of } from '../content.ts';
import type { Name, Seen } from '../register.ts';
import type { State } from '../states.ts';
import type { Ask } from '../wire.ts';
import { ask, unexpected, Violation, type Bucket, type World } from '../world.ts';
import { elements, text } from '../xml.ts';
import { readListing, readVersions, type ListedVersion } from './listing.ts';
import { must, several } from './together.ts';

/** Reads everything that is visible, and settles every name by it. Throws a `Violation` with the history of the first name that is wrong. */
export async function checkNames(world: World): Promise<void> {
  for (const bucket of world.buckets) {
    const versions = must(await readVersions(world, bucket.name, world.random.pick([3, 1000])));
    const stacks = Map.groupBy(versions, ({ key }) => key);
    const known = world.register.names().filter((name) => name.bucket === bucket.name);
    const names = new Set([...stacks.keys(), ...known.map(({ key }) => key)]);
    await several([...names], (key) => checkName(world, bucket, { name: { bucket: bucket.name, key }, stack: stacks.get(key) ?? [] }));
    await checkListings(world, bucket.name);
  }
}

async function checkName(
  world: World,
  bucket: Bucket,
  { name, stack }: { readonly name: Name; readonly stack: readonly ListedVersion[] },
): Promise<void> {
  const wrong = stack.filter(({ latest }, index) => latest !== (index === 0));
  if (wrong.length > 0) throw new Violation(`The versions of ${name.bucket}/${name.key} are not in order: ${JSON.stringify(stack)}`);
  const seen: Seen[] = [];
  for (const version of stack) seen.push(await look(world, name, version));
  const problem = world.register.observe(name, bucket.versioning, seen);
  if (problem !== undefined) throw new Violation(`${problem}\n  history:\n${world.register.story(name)}`);
  await checkCurrent(world, name, stack[0]);
}

/** Reads one version, all its bytes and its tags. */
async function look(world: World, name: Name, { id, marker, etag, size }: ListedVersion): Promise<Seen> {
  if (marker) return { id, size: 0, etag: '', tags: '' };
  const request: Ask = { method: 'GET', path: `/${name.bucket}/${name.key}`, query: { versionId: id } };
  const answer = must(await ask(world, request));
  if (answer.status !== 200 || answer.body.length !== size || answer.headers.etag !== `"${etag}"`) {
    throw new Violation(
      `LIST shows ${name.bucket}/${name.key} ${id} with ${size} bytes and ETag ${etag}: ${unexpected(request, answer).message}\n${world.register.story(name)}`,
    );
  }
  world.counts.read += 1;
  const tagged = answer.headers['x-amz-tagging-count'] === undefined ? '' : await tagsOf(world, name, id);
  const mark = answer.headers['x-amz-meta-mark'];
  return { id, size, etag, tags: tagged, sha256: sha256Of(answer.body), mark: typeof mark === 'string' ? mark : 'none' };
}

async function tagsOf(world: World, name: Name, versionId: string): Promise<string> {
  const request: Ask = { method: 'GET', path: `/${name.bucket}/${name.key}`, query: { tagging: '', versionId } };
  const answer = must(await ask(world, request));
  if (answer.status !== 200) throw unexpected(request, answer);
  return elements(answer.body.toString(), 'Tag')
    .map((tag) => `${text(tag, 'Key')}=${text(tag, 'Value')}`)
    .join('&');
}

/** HEAD without a version id is about the newest. */
async function checkCurrent(world: World, name: Name, newest: ListedVersion | undefined): Promise<void> {
  const request: Ask = { method: 'HEAD', path: `/${name.bucket}/${name.key}` };
  const answer = must(await ask(world, request));
  const there = newest !== undefined && !newest.marker;
  const agrees = there
    ? answer.status === 200 && answer.headers.etag === `"${newest.etag}"` && answer.headers['content-length'] === String(newest.size)
    : answer.status === 404;
  if (!agrees) throw new Violation(`HEAD disagrees with LIST (${JSON.stringify(newest)}): ${unexpected(request, answer).message}`);
}

/** ListObjectsV2, flat and by folders, shows just the names whose newest version is one. */
async function checkListings(world: World, bucket: string): Promise<void> {
  const wanted = world.register
    .names()
    .filter((name) => name.bucket === bucket)
    .map((name) => ({ key: name.key, current: currentOf(world.register.settled(name)) }))
    .filter(({ current }) => current !== undefined)
    .map(({ key, current }) => `${key} ${current!.size} ${current!.etag}`)
    .toSorted(byBytes);
  const shown = ({ key, size, etag }: { key: string; size: number; etag: string }) => `${key} ${size} ${etag}`;
  const flat = must(await readListing(world, bucket, { pageSize: world.random.pick([1, 5, 1000]) }));
  equal(`LIST of ${bucket}`, flat.map(shown), wanted);
  const nested = await walk(world, bucket, '');
  equal(`LIST of ${bucket} by folders`, nested.map(shown).toSorted(byBytes), wanted);
}

function currentOf(state: State | undefined) {
  return state?.versions[0]?.thing;
}

async function walk(world: World, bucket: string, prefix: string): Promise<{ key: string; size: number; etag: string }[]> {
  const level = must(await readListing(world, bucket, { pageSize: world.random.pick([2, 1000]), prefix, delimiter: '/' }));
  const below = [];
  for (const entry of level) below.push(...(entry.folder === true ? await walk(world, bucket, entry.key) : [entry]));
  return below;
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function equal(what: string, shown: readonly string[], wanted: readonly string[]): void {
  if (shown.join('\n') === wanted.join('\n')) return;
  const missing = wanted.filter((one) => !shown.includes(one));
  const extra = shown.filter((one) => !wanted.includes(one));
  throw new Violation(
    `${what} does not show what GET does: missing ${JSON.stringify(missing)}, too much ${JSON.stringify(extra)}, in order ${JSON.stringify(shown)}`,
  );
}
