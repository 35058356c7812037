/** Verification of SigV4 signatures, whichever form they came in. */
import { ArtefactError } from '../errors.ts';
import { canonicalRequest, stringToSign } from './canonicalRequest.ts';
import { equalInConstantTime } from './constantTime.ts';
import { signText, type DerivedKeys } from './derivedKey.ts';
import { signedPayload, type PayloadAuth } from './payloadAuth.ts';
import { rawQuery, type CredentialedRequest } from './request.ts';
import type { SignedClaim } from './signedClaim.ts';

export const MISMATCH = 'The request signature we calculated does not match the signature you provided. Check your key and signing method.';

/**
 * Checks a claim against its secret, and answers how the body is to be opened. Throws `SignatureMismatch`, whose details
 * show what was signed here as S3's error does (the client's own request, and nothing of the key).
 */
export function verifySignature(
  request: CredentialedRequest,
  claim: SignedClaim,
  secretAccessKey: string,
  derivedKeys: DerivedKeys,
): PayloadAuth {
  const key = derivedKeys(secretAccessKey, claim.credential);
  const canonical = canonicalRequest({
    method: request.method,
    rawPath: request.rawPath,
    rawQuery: rawQuery(request),
    rawHeaders: request.rawHeaders,
    signedHeaders: claim.signedHeaders,
    payloadHash: claim.payloadHash,
  });
  const toSign = stringToSign(claim.amzDate, claim.credential.scope, canonical);
  if (!equalInConstantTime(claim.signature, signText(key, toSign))) throw mismatch(claim, canonical, toSign);
  return signedPayload(claim.payloadHash, { key, amzDate: claim.amzDate, scope: claim.credential.scope, signature: claim.signature });
}

function mismatch(claim: SignedClaim, canonical: string, toSign: string): ArtefactError {
  return new ArtefactError('SignatureMismatch', MISMATCH, {
    details: {
      accessKeyId: claim.credential.accessKeyId,
      signatureProvided: claim.signature.slice(0, 128),
      stringToSign: toSign,
      canonicalRequest: canonical,
    },
  });
}
