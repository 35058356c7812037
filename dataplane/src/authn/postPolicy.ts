/** Uploads by HTML form: the form carries a policy that its signer made, and the policy's signature. */
import type { ConditionContext } from '../authz/action.ts';
import { ArtefactError, type ErrorDetails } from '../errors.ts';
import { parseBasicTime } from './amzTime.ts';
import { equalInConstantTime } from './constantTime.ts';
import { ALGORITHM, parseCredential, type Credential, type ScopeRules } from './credentialScope.ts';
import { signText, type DerivedKeys } from './derivedKey.ts';
import { version2Refused } from './mechanism.ts';
import { parsePostPolicy, requirePolicy, type ContentLengthRange } from './policyConditions.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { Sessions } from './session.ts';
import { findSigner, type AccessKeyLookup } from './signer.ts';
import { MAX_SKEW } from './signedClaim.ts';
import { MISMATCH } from './sigv4.ts';

/** A form before its file. */
export interface PostForm {
  /** The bucket that the form is posted to. */
  readonly bucket: string;
  /** Fields as sent, in any case, with `${filename}` already replaced and repeated ones joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface PostAuthenticated {
  readonly principal: Principal;
  /** What the file's size must be within. */
  readonly contentLengthRange?: ContentLengthRange;
  /** Facts for the conditions of policies. */
  readonly conditions: ConditionContext;
}

/** What forms are verified with. */
export interface PostPolicyRules {
  readonly scope: ScopeRules;
  readonly sessions: Sessions;
  readonly derivedKeys: DerivedKeys;
  readonly clock: () => number;
}

const DAYS_7 = 7 * 24 * 3600 * 1000;
const SIGNATURE_FIELDS = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature'];

/**
 * Who a form speaks for: nobody when it has neither policy nor signature, else the signer of its policy, which the form
 * must keep. Throws `InvalidArgument` (fields of the signature), `AccessKeyUnknown`, `SignatureMismatch`, `InvalidPolicy`,
 * `AccessDenied` (expired, a condition that fails, a field that none covers), `TokenInvalid`, `TokenExpired`.
 */
export function verifyPostForm(form: PostForm, lookup: AccessKeyLookup, rules: PostPolicyRules): PostAuthenticated {
  const fields = byLowerCase(form);
  if (fields.has('awsaccesskeyid') || fields.has('signature')) throw version2Refused();
  if (isAnonymous(fields)) return { principal: ANONYMOUS, conditions: new Map() };
  for (const name of ['Policy', ...SIGNATURE_FIELDS]) requireField(fields, name);
  const credential = parseCredential(field(fields, 'x-amz-credential'), rules.scope, (detail, details) =>
    invalidField('X-Amz-Credential', field(fields, 'x-amz-credential'), detail, details),
  );
  const now = rules.clock();
  const signedAt = requireTime(fields, credential, now);
  const signer = findSigner(
    { accessKeyId: credential.accessKeyId, securityToken: fields.get('x-amz-security-token') },
    lookup,
    rules.sessions,
  );
  requireSignature(fields, credential, rules.derivedKeys(signer.secretAccessKey, credential));
  const contentLengthRange = requirePolicy(parsePostPolicy(field(fields, 'policy')), fields, now);
  return { principal: signer.principal, contentLengthRange, conditions: facts(now - signedAt) };
}

/** "The post parameters are case insensitive" (S3). The bucket counts as a field, so that a policy must name it. */
function byLowerCase(form: PostForm): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of form.fields) {
    const lower = name.toLowerCase();
    if (fields.has(lower)) throw invalidField(lower, value, `The form field ${lower} is given twice.`);
    fields.set(lower, value);
  }
  const bucket = fields.get('bucket') ?? form.bucket;
  if (bucket !== form.bucket) throw invalidField('bucket', bucket, 'The field bucket names another bucket than the form is posted to.');
  return fields.set('bucket', form.bucket);
}

function isAnonymous(fields: ReadonlyMap<string, string>): boolean {
  const ofSignature = ['policy', 'x-amz-security-token', ...SIGNATURE_FIELDS.map((name) => name.toLowerCase())];
  return !ofSignature.some((name) => fields.has(name));
}

function requireField(fields: ReadonlyMap<string, string>, name: string): void {
  if (field(fields, name.toLowerCase()) !== '') return;
  throw invalidField(
    name,
    '',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  );
}

function requireTime(fields: ReadonlyMap<string, string>, credential: Credential, now: number): number {
  const algorithm = field(fields, 'x-amz-algorithm');
  if (algorithm !== ALGORITHM) throw invalidField('X-Amz-Algorithm', algorithm, `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const amzDate = field(fields, 'x-amz-date');
  const signedAt = parseBasicTime(amzDate);
  if (signedAt === undefined) throw invalidField('X-Amz-Date', amzDate, 'X-Amz-Date must be formated via ISO8601 Long format');
  if (!amzDate.startsWith(credential.date)) throw invalidField('X-Amz-Date', amzDate, 'X-Amz-Date is not on the day of the credential.');
  if (signedAt - now > MAX_SKEW) throw new ArtefactError('AccessDenied', 'Request is not yet valid');
  // S3: a signing key is good for seven days, whatever the policy says
  if (now - signedAt > DAYS_7) throw new ArtefactError('RequestExpired', 'Request has expired');
  return signedAt;
}

/** The string to sign is the policy as it stands in the form. */
function requireSignature(fields: ReadonlyMap<string, string>, credential: Credential, key: Buffer): void {
  const [policy, signatureProvided] = [field(fields, 'policy'), field(fields, 'x-amz-signature')];
  if (equalInConstantTime(signatureProvided, signText(key, policy))) return;
  throw new ArtefactError('SignatureMismatch', MISMATCH, {
    details: { accessKeyId: credential.accessKeyId, stringToSign: policy, signatureProvided: signatureProvided.slice(0, 128) },
  });
}

function facts(age: number): ConditionContext {
  return new Map([
    ['s3:authtype', ['POST']],
    ['s3:signatureversion', [ALGORITHM]],
    ['s3:signatureage', [String(Math.max(age, 0))]],
  ]);
}

function field(fields: ReadonlyMap<string, string>, name: string): string {
  return fields.get(name) ?? '';
}

function invalidField(argumentName: string, argumentValue: string, message: string, details: ErrorDetails = {}): ArtefactError {
  return new ArtefactError('InvalidArgument', message, {
    details: { argumentName, argumentValue: argumentValue.slice(0, 256), ...details },
  });
}
