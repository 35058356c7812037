/** AssumeRoleWithWebIdentity: a token of a trusted issuer in, a short-lived access key out. */
import type { Reply } from '../contract.ts';
import type { StsDeps, StsRequest } from './protocol.ts';
import { stsReply } from './xml.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export async function assumeRoleWithWebIdentity({ call, parameters }: StsRequest, { authenticator }: StsDeps): Promise<Reply> {
  const { principal, credentials, subject, audience, provider, assumedRoleUser } = await authenticator.assumeRole(parameters);
  call.become(principal);
  return stsReply(
    200,
    'AssumeRoleWithWebIdentityResponse',
    {
      AssumeRoleWithWebIdentityResult: {
        SubjectFromWebIdentityToken: subject,
        Audience: audience,
        AssumedRoleUser: { Arn: assumedRoleUser.arn, AssumedRoleId: assumedRoleUser.assumedRoleId },
        Credentials: {
          AccessKeyId: credentials.accessKeyId,
          SecretAccessKey: credentials.secretAccessKey,
          SessionToken: credentials.sessionToken,
          Expiration: stsTime(credentials.expiration),
        },
        Provider: provider,
      },
      ResponseMetadata: { RequestId: call.head.id },
    },
    call.head.id,
  );
}

/** STS has no fractions of seconds; rounding down never promises more than there is. */
function stsTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
