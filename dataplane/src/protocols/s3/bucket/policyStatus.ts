/** GetBucketPolicyStatus: may people without credentials do anything here? */
import { reaches } from '@bonded/crds';
import type { BindingConfig, BucketConfig, PolicyCondition, PolicyStatement, Snapshot } from '@bonded/crds';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { BucketParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { noPolicy, ownPolicies } from './policy.ts';

export async function getPolicyStatus(call: Call<BucketParams>): Promise<Reply> {
  const bucket = bucketOf(call);
  const isPublic = isPublicBucket(call.snapshot, bucket);
  if (!isPublic && ownPolicies(call.snapshot, bucket).length === 0) throw noPolicy();
  return xmlReply('PolicyStatus', { IsPublic: isPublic });
}

/** True when some policy in reach allows something to everyone, or a binding gives anonymous callers a role. */
function isPublicBucket(snapshot: Snapshot, bucket: BucketConfig): boolean {
  const policies = snapshot.policies.filter((policy) => policy.bucket === bucket.name && reaches(policy.namespace, bucket));
  if (policies.some(({ document }) => document.statements.some(isPublicStatement))) return true;
  return snapshot.bindings.some((binding) => reaches(binding.namespace, bucket) && admitsAnonymous(binding, bucket.name));
}

function admitsAnonymous({ subjects, resources }: BindingConfig, bucket: string): boolean {
  return subjects.some(({ kind }) => kind === 'anonymous') && (!resources || resources.some((resource) => resource.bucket === bucket));
}

/** "A bucket policy is public unless it grants access only to fixed values of principals or of certain condition keys." */
function isPublicStatement({ effect, principals, conditions }: PolicyStatement): boolean {
  if (effect !== 'Allow' || !(principals.any || principals.not)) return false;
  return !conditions.some(narrowsToKnownCallers);
}

const NARROWING_KEYS: ReadonlySet<string> = new Set(['aws:sourceip', 'aws:userid', 'aws:username', 'aws:principaltype']);
/** Claims of a verified token: who has none is not let in. */
const CLAIM_KEYS = 'bonded:claim/';
const NEGATED = /^(Not|StringNot|NumericNot|DateNot|ArnNot|Null)/;

/** A fixed list of addresses or names; wildcards, whole address spaces and negations narrow nothing. */
function narrowsToKnownCallers({ operator, key, values, ifExists, qualifier }: PolicyCondition): boolean {
  if (!NARROWING_KEYS.has(key) && !key.startsWith(CLAIM_KEYS)) return false;
  if (NEGATED.test(operator) || ifExists || qualifier === 'ForAllValues') return false;
  return values.every((value) => !/[*?]|\/0$/.test(value));
}
