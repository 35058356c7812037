/** Taking names away: delete markers, and the removal of versions for good. */
import { inAnyOrder, type Change } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { checkDelete } from './conditions.ts';
import type { CoreContext } from './context.ts';
import type { Actor, DeleteResult } from './core.ts';
import { isId } from './ids.ts';
import { journalChange } from './journal.ts';
import { keys } from './keys.ts';
import type { Conditions, DeleteMarker, Version } from './object.ts';
import { checkMutable, expectHead, repeatOnConflict } from './put.ts';
import { asPast, isCutAnywhere, leaveTrail, standsBehind, unsettlePast } from './past.ts';
import { publicName } from './realm.ts';
import { scanAll } from './scan.ts';
import type { FoundHead, Head } from './versions.ts';
import { asVersion, findHead, findPast, findRemains, headValue, letGo, noteGarbage, planSuccession, trailOf } from './versions.ts';

/** Records read at a time where two are looked for, and one that does not stand is rare. */
const FEW = 3;

export interface Removal {
  readonly bucket: OpenBucket;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly conditions: Conditions;
  readonly actor: Actor;
  /** Further changes of the same batch where nothing of the name stays, before all others and behind them. */
  readonly also?: { readonly before: readonly Change[]; readonly after: readonly Change[] };
}

/** What `Objects.delete` promises. */
export async function removeName(context: CoreContext, removal: Removal): Promise<DeleteResult> {
  return repeatOnConflict(() =>
    removal.versionId === undefined ? removeCurrent(context, removal) : removeVersion(context, removal, removal.versionId),
  );
}

async function removeCurrent(context: CoreContext, removal: Removal): Promise<DeleteResult> {
  const { bucket, key } = removal;
  const head = await findHead(bucket, key);
  checkDelete(head?.version, removal.conditions);
  checkMutable(bucket, key, head);
  if (keepsVersions(bucket, head)) return placeMarker(context, removal, head);
  if (head === undefined) return { deleteMarker: false };
  await bucket.store.records.write([
    ...(removal.also?.before ?? []),
    ...noteGarbage([head.version], context.now()),
    { delete: keys.head(bucket.id, key), ifRevision: head.revision },
    ...inAnyOrder([removed(context, removal, head.version), ...letGo(bucket, [head.version])]),
    ...(removal.also?.after ?? []),
  ]);
  return { deleteMarker: false };
}

/** True where deleting must leave a trace: versioning is on, or was and left versions behind. */
function keepsVersions(bucket: OpenBucket, head: FoundHead | undefined): boolean {
  return bucket.config.versioning !== 'Disabled' || head?.older === true || (head !== undefined && head.version.versionId !== 'null');
}

async function placeMarker(context: CoreContext, removal: Removal, head: FoundHead | undefined): Promise<DeleteResult> {
  const { bucket, key, actor } = removal;
  const next = await planSuccession(bucket, key, head, context.now());
  const marker: DeleteMarker = {
    key,
    id: next.id,
    versionId: next.versionId,
    deleteMarker: true,
    modified: context.now(),
    owner: actor.principal,
  };
  const trail = leaveTrail(bucket, trailOf(bucket, next, marker), context.now());
  await bucket.store.records.write([
    ...trail.before,
    ...noteGarbage(next.replaced, context.now()),
    ...next.history(marker),
    { put: keys.head(bucket.id, key), value: headValue({ ...next.head, version: marker }), ...expectHead(head) },
    journalChange(context, { actor, change: 'delete-marker', bucket: bucket.config.name, name: key, versionId: marker.versionId }),
    ...next.forget,
    ...letGo(bucket, next.replaced),
    ...trail.after,
  ]);
  return { versionId: marker.versionId, deleteMarker: true };
}

async function removeVersion(context: CoreContext, removal: Removal, versionId: string): Promise<DeleteResult> {
  const { bucket, key } = removal;
  const found = await findRemains(bucket, key, versionId);
  checkDelete(found?.version, removal.conditions);
  if (found === undefined) return { versionId, deleteMarker: await forgetRemains(context, removal, versionId) };
  if (!found.version.deleteMarker) checkMutable(bucket, key, { ...found.head, version: found.version });
  const changes = found.head.version.id === found.version.id ? await promote(bucket, key, found.head) : forgetPast(bucket, key, found);
  const trail = leaveTrail(bucket, [found.version], context.now());
  await bucket.store.records.write([
    ...trail.before,
    ...noteGarbage([found.version], context.now()),
    ...(await unsettlePast(bucket, found.version)),
    ...changes,
    ...inAnyOrder([removed(context, removal, found.version), ...letGo(bucket, [found.version]), ...trail.after]),
  ]);
  return { versionId, deleteMarker: found.version.deleteMarker };
}

/**
 * The name went while this version of it was being removed, since others were too: nothing is left to be decided, and the rest goes.
 * True for a delete marker.
 */
async function forgetRemains(context: CoreContext, removal: Removal, versionId: string): Promise<boolean> {
  const { bucket, key } = removal;
  if (!isCutAnywhere(bucket) || !isId(versionId) || (await findHead(bucket, key)) !== undefined) return false;
  const left = await findPast(bucket, key, versionId);
  if (left?.versionId !== versionId) return false;
  const { after } = leaveTrail(bucket, [left], context.now());
  await bucket.store.records.write([
    { delete: keys.past(bucket.id, key, left.id) },
    removed(context, removal, left),
    ...letGo(bucket, [left]),
    ...after,
  ]);
  return left.deleteMarker;
}

/** A version of the past goes; the head's record is written too, so that every change of a name meets in one record. */
function forgetPast(bucket: OpenBucket, key: string, found: { readonly head: FoundHead; readonly version: Version }): readonly Change[] {
  const { version, older, nullId } = found.head;
  const head: Head = { version, older, ...(nullId === undefined || nullId === found.version.id ? {} : { nullId }) };
  return [
    { put: keys.head(bucket.id, key), value: headValue(head), ifRevision: found.head.revision },
    { delete: keys.past(bucket.id, key, found.version.id) },
  ];
}

/** The current version goes: the newest of the past takes its place. */
async function promote(bucket: OpenBucket, key: string, head: FoundHead): Promise<readonly Change[]> {
  const [next, further] = head.older ? await newestPast(bucket, key, head) : [];
  const forget: Change = { delete: keys.past(bucket.id, key, head.version.id) };
  if (next === undefined) return [{ delete: keys.head(bucket.id, key), ifRevision: head.revision }, forget];
  const nullId = head.nullId === next.id ? undefined : head.nullId;
  const promoted: Head = { version: next, older: further !== undefined, ...(nullId === undefined ? {} : { nullId }) };
  return [{ put: keys.head(bucket.id, key), value: headValue(promoted), ifRevision: head.revision }, forget];
}

/** The two newest of the past, the current one's own record aside. What is newer than the current one never came to stand: it was cut off. */
async function newestPast(bucket: OpenBucket, key: string, head: FoundHead): Promise<readonly Version[]> {
  const newest: Version[] = [];
  const after = keys.past(bucket.id, key, head.version.id);
  for await (const entry of scanAll(bucket.store, keys.pastOfKey(bucket.id, key), { after, page: FEW })) {
    if (standsBehind(head, asPast(entry))) newest.push(asVersion(entry));
    if (newest.length === 2) break;
  }
  return newest;
}

function removed(context: CoreContext, removal: Removal, version: Version): Change {
  const { bucket, key, actor } = removal;
  const what = version.deleteMarker ? {} : { digest: version.digest, size: version.size };
  return journalChange(context, {
    actor,
    change: 'delete',
    bucket: bucket.config.name,
    name: publicName(bucket.config, key),
    versionId: version.versionId,
    ...what,
  });
}
