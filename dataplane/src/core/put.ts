/** Naming bytes: one batch whose decisive change is the head's compare-and-set. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError, isError } from '../errors.ts';
import { inAnyOrder, type Change } from '../storage/contract.ts';
import type { OpenBucket } from './buckets.ts';
import { stillOpen } from './buckets.ts';
import { checkWrite } from './conditions.ts';
import type { CoreContext } from './context.ts';
import type { Actor, PutResult } from './core.ts';
import type { Adoption } from './digests.ts';
import { confirm } from './digests.ts';
import { lostToCollector } from './intents.ts';
import { journalChange } from './journal.ts';
import { keys } from './keys.ts';
import type { Conditions, Content, ObjectAttributes, ObjectVersion } from './object.ts';
import { leaveTrail } from './past.ts';
import { isImmutable, publicName } from './realm.ts';
import { noteUnused } from './registry/unused.ts';
import type { FoundHead, Succession } from './versions.ts';
import { findHead, headValue, letGo, noteGarbage, planSuccession, trailOf } from './versions.ts';

export interface Naming {
  readonly bucket: OpenBucket;
  readonly key: string;
  readonly content: Content;
  readonly attributes: ObjectAttributes;
  readonly conditions: Conditions;
  readonly actor: Actor;
  /** How the content's digest comes to be held; asked anew at each attempt. */
  adopt(): Promise<Adoption>;
  /** Further changes of the same batch, before all others and right behind the head's (what a session leaves, and its end). */
  also?(version: ObjectVersion): Promise<{ readonly before: readonly Change[]; readonly after: readonly Change[] }>;
}

/** Writers of one name retry this long when others win, in ms; then the client is asked to. */
const PATIENCE = 10_000;

/** Names content. Exactly one of several conditional writers wins; unconditional ones all succeed, the last one stays. */
export async function nameContent(context: CoreContext, naming: Naming): Promise<PutResult> {
  const { result, known } = await repeatOnConflict(() => attempt(context, naming));
  const open = stillOpen(naming.bucket);
  // Told only when the bytes are safe.
  open.catch(() => undefined);
  if (known && !(await confirm(naming.bucket.store, naming.content.digest))) await bringBack(naming);
  await open;
  return result;
}

/** Runs an optimistic change until no other writer comes between, for as long as is reasonable. */
export async function repeatOnConflict<T>(change: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (let tries = 1; ; tries += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isError(error, 'Conflict')) throw error;
      if (performance.now() - started > PATIENCE) {
        throw concurrentChange(error);
      }
      if (tries > 3) await sleep(randomInt(Math.min(50, tries)));
    }
  }
}

/** The answer to a change that another one came before. */
export function concurrentChange(cause?: unknown): ArtefactError {
  return new ArtefactError('ConcurrentChange', 'Another request is changing the same name. Please try again.', { cause });
}

async function attempt(context: CoreContext, naming: Naming): Promise<{ readonly result: PutResult; readonly known: boolean }> {
  const { bucket, key, actor } = naming;
  const adopting = naming.adopt();
  // What it throws counts only when the name may be written.
  adopting.catch(() => undefined);
  const head = await findHead(bucket, key);
  checkWrite(head?.version, naming.conditions);
  if (!keepsWhatIs(naming, head)) checkMutable(bucket, key, head);
  const adoption = await adopting;
  const next = await planSuccession(bucket, key, head, context.now());
  const version = makeVersion(context, naming, next);
  const also = await naming.also?.(version);
  const created = head === undefined || head.version.deleteMarker;
  const trail = leaveTrail(bucket, trailOf(bucket, next, version), context.now(), adoption.changes);
  const told = journalChange(context, {
    actor,
    change: created ? 'create' : 'overwrite',
    bucket: bucket.config.name,
    name: publicName(bucket.config, key),
    versionId: version.versionId,
    digest: version.digest,
    size: version.size,
  });
  const changes: Change[] = [
    ...noteUnused(bucket, key, context.now()),
    ...(also?.before ?? []),
    ...inAnyOrder([...trail.before, ...noteGarbage(next.replaced, context.now()), ...trail.changes.slice(0, 1)]),
    ...trail.changes.slice(1),
    { put: keys.ref(version.digest, bucket.id, key, version.id), value: { bucket: bucket.config.name } },
    ...next.history(version),
    { put: keys.head(bucket.id, key), value: headValue({ ...next.head, version }), ...expectHead(head) },
    // A past that is to be forgotten is found by its reference, and goes before it.
    ...next.forget,
    ...(also === undefined ? [] : [told, ...also.after]),
    ...inAnyOrder([...(also === undefined ? [told] : []), ...letGo(bucket, next.replaced), ...trail.after, ...adoption.after]),
  ];
  await writeNaming(bucket, version, changes);
  return { result: { version, created }, known: adoption.known };
}

/** Some conflicts are no race to repeat: who lost them has lost for good. */
async function writeNaming(bucket: OpenBucket, version: ObjectVersion, changes: readonly Change[]): Promise<void> {
  const { records } = bucket.store;
  try {
    await records.write(changes);
  } catch (error) {
    if (!isError(error, 'Conflict')) throw error;
    const at = Number(error.details['change'] ?? -1);
    const head = keys.head(bucket.id, version.key);
    if (records.transactional !== true && changes.findIndex((change) => 'put' in change && change.put === head) < at) {
      // The name stands, so it is too late to lose: a session that somebody else has ended needs no end.
      return void (await records.write(changes.slice(at + 1)));
    }
    await takeBackVersion(bucket, version);
    const lost = changes[at];
    throw lostToCollector(error, changes) ?? (lost === undefined ? undefined : finalLoss(lost, error)) ?? error;
  }
}

/** Without transactions, a version that did not become the head may have left its own records: nobody else knows their keys. */
async function takeBackVersion(bucket: OpenBucket, version: ObjectVersion): Promise<void> {
  if (bucket.store.records.transactional === true) return;
  await bucket.store.records.write([
    ...noteGarbage([version], version.modified),
    { delete: keys.past(bucket.id, version.key, version.id) },
    ...letGo(bucket, [version]),
    { delete: keys.garbageVersion(bucket.id, version.key, version.id) },
  ]);
}

function finalLoss(lost: Change, cause: ArtefactError): ArtefactError | undefined {
  if ('delete' in lost && (lost.delete.startsWith(keys.allUploads) || lost.delete.startsWith(keys.allRangeSessions))) {
    return new ArtefactError('UploadUnknown', 'The upload was completed or aborted by another request.', { cause });
  }
  return undefined;
}

function makeVersion(context: CoreContext, naming: Naming, next: Succession): ObjectVersion {
  const { headers, metadata, tags, storageClass } = naming.attributes;
  return {
    key: naming.key,
    id: next.id,
    versionId: next.versionId,
    deleteMarker: false,
    modified: context.now(),
    owner: naming.actor.principal,
    ...naming.content,
    headers,
    metadata,
    tags,
    storageClass,
  };
}

/** In a registry, a name that comes to point at what it points at already does not change. */
function keepsWhatIs({ bucket, content }: Naming, head: FoundHead | undefined): boolean {
  return bucket.config.realm !== undefined && head?.version.deleteMarker === false && head.version.digest === content.digest;
}

/** The condition that makes the head's change the one that decides. */
export function expectHead(head: FoundHead | undefined): { readonly ifAbsent: true } | { readonly ifRevision: string } {
  return head === undefined ? { ifAbsent: true } : { ifRevision: head.revision };
}

/** Throws `Immutable` when the name exists and the bucket's configuration says that it never changes. */
export function checkMutable(bucket: OpenBucket, key: string, head: FoundHead | undefined): void {
  if (head === undefined || head.version.deleteMarker) return;
  if (!isImmutable(bucket.config, key)) return;
  throw new ArtefactError('Immutable', 'This name is immutable in its bucket: it exists and can be neither overwritten nor deleted.', {
    details: { key },
  });
}

/**
 * The digest was collected between the look and the name, which takes a request that stood still for the whole grace time:
 * with the bytes still at hand it is made again; a copy has none, and says so.
 */
async function bringBack(naming: Naming): Promise<void> {
  await repeatOnConflict(async () => {
    const adoption = await naming.adopt();
    if (!adoption.known) await naming.bucket.store.records.write(adoption.changes);
  });
}
