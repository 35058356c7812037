/** What every face does with an upload: find it for its owner, give it bytes, complete it. */
import type { BucketConfig } from '@bonded/crds';
import type { ConditionContext } from '../../authz/action.ts';
import type { Core, PutResult } from '../../core/core.ts';
import type { ContentCheck, FinishedRanges, Holder, RangeOptions, RangeSession, SessionPlace } from '../../core/ranges/contract.ts';
import { ArtefactError, isError } from '../../errors.ts';
import { bucketIn, bucketNamed } from '../buckets.ts';
import type { Call, Demand, RequestHead } from '../contract.ts';
import { resourceOf } from '../subject.ts';
import { permitCompletion, permitWrite, writeUnder } from '../writing.ts';
import type { UploadParams } from './place.ts';
import { readSha256 } from './structured.ts';

export type UploadCall = Call<UploadParams>;

/** Condition keys of writes: those of what uploads cannot say count as absent, so that a stray header never passes for the real thing. */
const ABSENT = ['s3:x-amz-acl', 's3:x-amz-storage-class', 's3:x-amz-metadata-directive', 's3:x-amz-copy-source', 's3:versionid'] as const;
const FACTS: ConditionContext = new Map(ABSENT.map((key) => [key, []]));

/** Uploading is putting an object: the same is demanded, of every request. */
export function creating(_head: RequestHead, { bucket, key }: UploadParams): readonly Demand[] {
  return [{ action: 'create', s3Action: 's3:PutObject', resource: { bucket, name: key }, context: FACTS }];
}

/** The same of giving one up. */
export function aborting(_head: RequestHead, { bucket, key }: UploadParams): readonly Demand[] {
  return [{ action: 'create', s3Action: 's3:AbortMultipartUpload', resource: { bucket, name: key } }];
}

/** The bucket of an authorised call. Throws `BucketUnknown`. */
export function bucketOf(call: UploadCall): BucketConfig {
  return bucketIn(call.snapshot, call.params.bucket);
}

/** The upload that the request is about. Throws `RouteUnknown` for a request to none. */
export function placeOf({ params: { key, uploadId } }: UploadCall): SessionPlace {
  if (uploadId === undefined)
    throw new ArtefactError('RouteUnknown', 'This is no upload: send the request to the URL that its creation answered.');
  return { key, uploadId };
}

/** Opens an upload; one whose completion could only be refused is refused now, before its bytes are sent. */
export async function openUpload(call: UploadCall, core: Core, options: RangeOptions): Promise<RangeSession> {
  const bucket = bucketOf(call);
  const { key } = call.params;
  if (options.partial !== true)
    await permitWrite(call, core, { subject: { bucket, key }, conditions: options.conditions ?? {}, facts: FACTS });
  return core.ranges.begin(bucket, key, options, call.actor);
}

/** The session, for whoever began it, or may delete. Throws `UploadUnknown`, `AccessDenied`. */
export async function findUpload(call: UploadCall, core: Core): Promise<RangeSession> {
  const bucket = bucketOf(call);
  const session = await core.ranges.find(bucket, placeOf(call));
  if (session.owner !== call.actor.principal) {
    call.authorise({ action: 'delete', s3Action: 's3:AbortMultipartUpload', resource: { bucket: bucket.name, name: session.key } });
  }
  return session;
}

/** What an upload that is over became, for whoever made it or may read it; undefined when it is not over. */
export async function findFinished(call: UploadCall, core: Core): Promise<FinishedRanges | undefined> {
  const bucket = bucketOf(call);
  const finished = await core.ranges.finished(bucket, placeOf(call)).catch((error: unknown) => {
    if (isError(error, 'UploadUnknown')) return undefined;
    throw error;
  });
  if (finished === undefined || finished.version.owner === call.actor.principal) return finished;
  const resource = resourceOf({ bucket, key: finished.version.key });
  return call.may({ action: 'read', s3Action: 's3:GetObject', resource }) ? finished : undefined;
}

/** Names the bytes of a session that has them all. The right to is asked for now: it may be another than at the start. */
export async function finish(
  call: UploadCall,
  core: Core,
  session: RangeSession,
  stated: { readonly length?: number; readonly sha256?: string },
): Promise<PutResult> {
  const subject = { bucket: bucketOf(call), key: session.key };
  const permit = permitCompletion(call, { subject, conditions: session.conditions, facts: FACTS });
  return writeUnder(call, core, permit, (conditions) =>
    core.ranges.complete(subject.bucket, session, { ...stated, conditions, actor: call.actor }),
  );
}

/** Names bytes that the store has and the caller may read; undefined where they have to be sent. */
export async function nameKnown(
  call: UploadCall,
  core: Core,
  options: RangeOptions & { readonly sha256: string; readonly length: number },
): Promise<PutResult | undefined> {
  const bucket = bucketOf(call);
  const { key } = call.params;
  const wanted = { subject: { bucket, key }, conditions: options.conditions ?? {}, facts: FACTS };
  const permit = await permitWrite(call, core, wanted);
  const mayRead = async (holder: Holder): Promise<boolean> => {
    if (holder.realm !== undefined) return false;
    const there = bucketNamed(call.snapshot, holder.bucket);
    if (there?.namespace !== holder.namespace || there.location !== bucket.location) return false;
    const resource = { bucket: holder.bucket, name: holder.key };
    if (!call.may({ action: 'read', s3Action: 's3:GetObject', resource })) return false;
    return call.admit({ digest: `sha256:${options.sha256}`, resource }).then(
      () => true,
      () => false,
    );
  };
  const name = async (conditions: typeof permit.conditions): Promise<PutResult> =>
    (await core.ranges.known(bucket, key, options, mayRead, { conditions, actor: call.actor })) ?? Promise.reject(NOT_KNOWN);
  return writeUnder(call, core, permit, name).catch((error: unknown) => {
    if (error === NOT_KNOWN) return undefined;
    throw error;
  });
}

const NOT_KNOWN = new Error('the bytes have to be sent');

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** What the content of this request must turn out to be: by its signature and its Content-Digest. */
export function contentChecks({ payload, head }: UploadCall): readonly ContentCheck[] {
  const checks: ContentCheck[] = [];
  const stated = readSha256('Content-Digest', head.headers['content-digest']);
  if (stated !== undefined) checks.push({ algorithm: 'SHA256', value: stated });
  if (payload.signedSha256 !== undefined)
    checks.push({ algorithm: 'SHA256', value: Buffer.from(payload.signedSha256, 'hex'), signed: true });
  return checks;
}

/** True for a request without content. Throws `PayloadMismatch` when its signature covers some. */
export function isEmpty({ payload }: UploadCall): boolean {
  if (payload.length !== 0) return false;
  if (payload.signedSha256 === undefined || payload.signedSha256 === EMPTY_SHA256) return true;
  throw new ArtefactError('PayloadMismatch', 'The body is not the one that the signature of the request covers: sign it again.');
}

/** Throws the refusal of another offset. */
export function requireOffset(session: Pick<RangeSession, 'offset'>, offset: number): void {
  if (session.offset === offset) return;
  throw new ArtefactError('ConcurrentChange', `The next byte of this upload is ${session.offset}, and the request begins at ${offset}.`, {
    details: { reason: 'offset', expectedOffset: session.offset, providedOffset: offset },
  });
}

/** Appends the content of this request; without any, only looks whether the offset is right. */
export async function appendContent(
  call: UploadCall,
  core: Core,
  at: { readonly session: RangeSession; readonly offset: number; readonly length?: number; readonly checks?: readonly ContentCheck[] },
  onStored?: (offset: number) => void,
): Promise<RangeSession> {
  const bucket = bucketOf(call);
  if (isEmpty(call) && (at.length === undefined || at.length === at.session.length || at.session.completing === true)) {
    const session = await core.ranges.seize(bucket, at.session);
    requireOffset(session, at.offset);
    return session;
  }
  return core.ranges.append(bucket, at.session, {
    offset: at.offset,
    bytes: call.payload.bytes,
    checks: at.checks ?? contentChecks(call),
    ...(call.payload.length === undefined ? {} : { size: call.payload.length }),
    ...(at.length === undefined ? {} : { length: at.length }),
    ...(onStored === undefined ? {} : { onStored }),
  });
}
