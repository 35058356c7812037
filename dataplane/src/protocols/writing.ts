/** Who may put something under a name: creating one, or overwriting what is there, told apart without a race. */
import type { ConditionContext } from '../authz/action.ts';
import type { Core, PutResult } from '../core/core.ts';
import type { Conditions } from '../core/object.ts';
import { ArtefactError, isError } from '../errors.ts';
import type { Call } from './contract.ts';
import { conceal, resourceOf } from './subject.ts';
import type { Subject } from './subject.ts';

/** A write that somebody asks for. */
export interface WantedWrite {
  readonly subject: Subject;
  /** The client's. */
  readonly conditions: Conditions;
  /** For the conditions of policies; absent where the head of the request says all. */
  readonly facts?: ConditionContext;
}

/** Permission to name bytes, under the conditions that the core must hold it to. */
export interface WritePermit {
  readonly subject: Subject;
  readonly conditions: Conditions;
  /** True for a caller who may not overwrite. */
  readonly createOnly: boolean;
  /** True when "nothing is there" is our condition, not the client's: its failure is then a lack of permission. */
  readonly ownCondition: boolean;
}

/**
 * Judges a write by a caller who may create. Overwriting needs the action `overwrite` unless the bucket keeps versions; whoever
 * lacks it gets a permit that fails when the name exists. Whoever asks for If-Match must be allowed to read, as in S3: it tells what is there.
 * Looks at the name when there are conditions, so that a write that cannot succeed is refused before its bytes are sent.
 */
export async function permitWrite(call: Call<unknown>, core: Core, wanted: WantedWrite): Promise<WritePermit> {
  const permit = permitCompletion(call, wanted);
  await refuseHopeless(call, core, permit);
  return permit;
}

/** As `permitWrite`, without the look: a repeated completion succeeds although its own first run made the name exist. */
export function permitCompletion(call: Call<unknown>, { subject, conditions, facts }: WantedWrite): WritePermit {
  const resource = resourceOf(subject);
  if (conditions.ifMatch !== undefined) call.authorise({ action: 'read', s3Action: 's3:GetObject', resource });
  if (subject.bucket.versioning === 'Enabled' || call.may({ action: 'overwrite', s3Action: 's3:PutObject', resource, context: facts })) {
    return { subject, conditions, createOnly: false, ownCondition: false };
  }
  if (conditions.ifMatch !== undefined) throw mayNotOverwrite();
  return {
    subject,
    conditions: { ...conditions, ifNoneMatch: ['*'] },
    createOnly: true,
    ownCondition: conditions.ifNoneMatch === undefined,
  };
}

/** Names bytes under a permit: a failure of our own condition becomes `AccessDenied`. */
export async function writeUnder(
  call: Call<unknown>,
  core: Core,
  permit: WritePermit,
  write: (conditions: Conditions) => Promise<PutResult>,
): Promise<PutResult> {
  try {
    if (permit.createOnly) await refuseReplacingHidden(core, permit.subject);
    return await conceal(call, permit.subject, () => write(permit.conditions));
  } catch (error) {
    if (permit.ownCondition && isError(error, 'PreconditionFailed')) throw mayNotOverwrite();
    throw error;
  }
}

/** A 412 that names the condition as its header is written. */
export function failed(field: string): ArtefactError {
  const condition = field.replace(/if-.*$/, (name) => name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()));
  return new ArtefactError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    details: { condition },
  });
}

async function refuseHopeless(call: Call<unknown>, core: Core, { subject, conditions, ownCondition }: WritePermit): Promise<void> {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  const etag = await currentETag(core, subject);
  if (ifNoneMatch !== undefined && etag !== undefined) throw ownCondition ? mayNotOverwrite() : failed('if-none-match');
  if (ifMatch === undefined) return;
  if (etag === undefined)
    await conceal(call, subject, () => Promise.reject(new ArtefactError('NameUnknown', 'The specified key does not exist.')));
  else if (!ifMatch.includes('*') && !ifMatch.includes(etag)) throw failed('if-match');
}

/** Where versioning is suspended, a write replaces the version `null` for good, also one that a delete marker hides. */
async function refuseReplacingHidden(core: Core, { bucket, key }: Subject): Promise<void> {
  if (bucket.versioning !== 'Suspended') return;
  const current = await absent(() => core.objects.get(bucket, key));
  if (!current?.deleteMarker) return;
  const hidden = await absent(() => core.objects.get(bucket, key, 'null'));
  if (hidden !== undefined && !hidden.deleteMarker) throw mayNotOverwrite();
}

async function currentETag(core: Core, { bucket, key }: Subject): Promise<string | undefined> {
  const version = await absent(() => core.objects.get(bucket, key));
  return version === undefined || version.deleteMarker ? undefined : version.etag;
}

async function absent<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (isError(error, 'NameUnknown', 'VersionUnknown')) return undefined;
    throw error;
  }
}

function mayNotOverwrite(): ArtefactError {
  return new ArtefactError('AccessDenied', 'Access Denied: this name exists already, and you may create names but not overwrite them.');
}
