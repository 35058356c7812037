/** GetCallerIdentity: who the credentials speak for, in the words of AWS. */
import { createHash } from 'node:crypto';
import type { Principal } from '../../authn/principal.ts';
import { ArtefactError } from '../../errors.ts';
import { accessKeysIn } from '../accessKeys.ts';
import type { Reply, RequestHead } from '../contract.ts';
import { stsError } from './errors.ts';
import type { StsDeps, StsRequest } from './protocol.ts';
import { stsReply } from './xml.ts';

/** There are no accounts here. */
const ACCOUNT = '000000000000';
const KNOWN = ['Action', 'Version'];

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export async function getCallerIdentity({ call, parameters, body }: StsRequest, { authenticator }: StsDeps): Promise<Reply> {
  const other = [...parameters.keys()].find((name) => !KNOWN.includes(name));
  if (other !== undefined) throw stsError('InvalidArgument', 'InvalidParameterValue', `Only the parameters ${KNOWN.join(', ')} are taken.`);
  const { principal } = await authenticator.authenticate(covering(call.head, body), accessKeysIn(call.snapshot)).catch(rethrow);
  if (principal.kind === 'anonymous') throw new ArtefactError('CredentialsMissing', 'Sign the request, or send a bearer token.');
  if (principal.limits !== undefined) throw new ArtefactError('AccessDenied', 'The token is good for its scopes alone.');
  call.become(principal);
  return stsReply(
    200,
    'GetCallerIdentityResponse',
    {
      GetCallerIdentityResult: { Arn: arnOf(principal), UserId: principal.accessKey?.accessKeyId ?? principal.id, Account: ACCOUNT },
      ResponseMetadata: { RequestId: call.head.id },
    },
    call.head.id,
  );
}

/** The head with the SHA-256 of the body, which signatures for `sts` cover whether a header says it or not. */
function covering(head: RequestHead, body: Uint8Array): RequestHead {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { ...head, headers: { ...head.headers, 'x-amz-content-sha256': sha256 } };
}

/** The token here is a credential of the request, of which STS speaks in other words than of a web identity token. */
function rethrow(thrown: unknown): never {
  if (thrown instanceof ArtefactError && thrown.code === 'TokenExpired') throw stsError('TokenExpired', 'ExpiredToken', thrown.message);
  if (thrown instanceof ArtefactError && thrown.code === 'TokenInvalid')
    throw stsError('TokenInvalid', 'InvalidClientTokenId', thrown.message);
  throw thrown;
}

/** Roles are of AWS: a key is shown as a user of its namespace, a token's subject as a session of the role that SDKs name by default. */
function arnOf({ accessKey, oidc, id }: Principal): string {
  if (accessKey) return `arn:aws:iam::${ACCOUNT}:user/${accessKey.namespace}/${accessKey.secretName}`;
  const subject = oidc?.claims.sub;
  return `arn:aws:sts::${ACCOUNT}:assumed-role/web-identity/${typeof subject === 'string' ? subject : id}`;
}
