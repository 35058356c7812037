/** `PUT /api/v1/buckets/{bucket}`: creates a bucket, or changes settings of one. */
import type { BucketConfig, Snapshot } from '@bonded/crds';
import type { BucketSettings, Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Reply } from '../contract.ts';
import type { Access } from './access.ts';
import { PUT_BUCKET_FIELDS, SETTING_ACTIONS } from './bucketSettings.ts';
import type { PutBucketBody } from './bucketSettings.ts';
import { bucketOf, bucketView, findBucket } from './bucketView.ts';
import { administer, ANY_AUTHENTICATED, INSTALLATION } from './demands.ts';
import { json, readJson } from './json.ts';
import { bucketName } from './parameters.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

interface PutParams {
  readonly bucket: string;
}

export interface PutBucketDeps {
  /** The configuration in force now: a call's own is from before its changes. */
  readonly snapshot: () => Snapshot;
  readonly access: Pick<Access, 'namespaceFor'>;
}

/** Which rights are needed depends on whether the bucket exists and on the body: the handler asks for each. */
export function putBucket(deps: PutBucketDeps): Row {
  return row<PutParams>({
    name: 'admin.PutBucket',
    method: 'PUT',
    path: '/api/v1/buckets/{bucket}',
    fields: { bucket: bucketName },
    demands: () => [ANY_AUTHENTICATED],
    handle(call, core) {
      const existing = findBucket(call.snapshot, call.params.bucket);
      return existing ? update(existing, call, core, deps) : create(call, core, deps);
    },
  });
}

async function create(call: Call<PutParams>, core: Core, deps: PutBucketDeps): Promise<Reply> {
  const name = call.params.bucket;
  call.authorise(administer(name, 's3:CreateBucket'));
  const { namespace, ...settings } = await readJson(call, PUT_BUCKET_FIELDS);
  await core.configuration.createBucket(name, namespaceOf(call, namespace, deps), call.actor, settings);
  const view = await bucketView(bucketOf(deps.snapshot(), name), call, core);
  return json(201, view, { location: `/api/v1/buckets/${name}` });
}

async function update(existing: BucketConfig, call: Call<PutParams>, core: Core, deps: PutBucketDeps): Promise<Reply> {
  authoriseSomeChange(existing, call);
  const { namespace, ...settings } = await readJson(call, PUT_BUCKET_FIELDS);
  authoriseChanges(existing, settings, call);
  requireNamespace(existing, namespace);
  if (Object.keys(settings).length > 0) await core.configuration.updateBucket(existing, settings, call.actor);
  return json(200, await bucketView(bucketOf(deps.snapshot(), existing.name), call, core));
}

/** The namespace that the granting binding gives; another one is for who owns the installation. */
function namespaceOf(call: Call<PutParams>, wanted: string | undefined, { access }: PutBucketDeps): string {
  const own = access.namespaceFor(call, call.params.bucket);
  if (wanted === undefined || wanted === own) return own;
  if (call.may(INSTALLATION)) return wanted;
  throw new ArtefactError('AccessDenied', `You may create this bucket in namespace ${own}, not in another: leave 'namespace' out.`);
}

/** Before the body is read: who may change nothing at all is refused at once. */
function authoriseSomeChange({ name }: BucketConfig, call: Call<PutParams>): void {
  const actions = Object.values(SETTING_ACTIONS);
  if (actions.some((s3Action) => call.may(administer(name, s3Action)))) return;
  call.authorise(administer(name, SETTING_ACTIONS.versioning));
}

function authoriseChanges({ name }: BucketConfig, settings: BucketSettings, call: Call<PutParams>): void {
  for (const setting of Object.keys(settings) as (keyof BucketSettings)[]) call.authorise(administer(name, SETTING_ACTIONS[setting]));
}

function requireNamespace(existing: BucketConfig, namespace: PutBucketBody['namespace']): void {
  if (namespace === undefined || namespace === existing.namespace) return;
  throw new ArtefactError('Conflict', `The bucket belongs to namespace ${existing.namespace}: it cannot be moved. Leave 'namespace' out.`);
}
