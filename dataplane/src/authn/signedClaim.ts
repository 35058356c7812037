/** What a SigV4 signature claims, in whichever form it came; and the rules on its headers that all forms share. */
import { ArtefactError } from '../errors.ts';
import type { Credential, CredentialFault } from './credentialScope.ts';
import type { CredentialedRequest } from './request.ts';

/** The names of the accepted clock difference, in ms, as S3 has it. */
export const MAX_SKEW = 15 * 60 * 1000;

/** A parsed, not yet verified signature. */
export interface SignedClaim {
  readonly form: 'header' | 'query';
  readonly credential: Credential;
  /** Lower-cased, without repetition. */
  readonly signedHeaders: readonly string[];
  /** As given; 64 hex digits if it is to match. */
  readonly signature: string;
  /** As it stands in the string to sign. */
  readonly amzDate: string;
  /** The same in ms since the epoch. */
  readonly signedAt: number;
  /** The canonical request's last line. */
  readonly payloadHash: string;
  readonly securityToken?: string;
}

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const MAX_SIGNED_HEADERS = 100;

/** Reads `host;x-amz-date;…`; throws what `fault` makes for anything but distinct lower-case header names. */
export function parseSignedHeaders(text: string, fault: CredentialFault): readonly string[] {
  const names = text.split(';');
  const wellFormed = names.every((name) => HEADER_NAME.test(name)) && new Set(names).size === names.length;
  if (!wellFormed || names.length > MAX_SIGNED_HEADERS) {
    throw fault('SignedHeaders must be distinct lower-case header names with ";" between them.');
  }
  return names;
}

/**
 * S3's rule on coverage: `host` and every `x-amz-*` (and `x-bonded-*`) header that is present must be signed, so that nobody can add
 * meaning to a signed request. Throws `AccessDenied` with the names.
 */
export function requireCoverage(request: CredentialedRequest, signedHeaders: readonly string[]): void {
  const present = request.rawHeaders.map(([name]) => name).filter(mustBeSigned);
  const unsigned = [...new Set(['host', ...present])].filter((name) => !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  throw new ArtefactError('AccessDenied', 'There were headers present in the request which were not signed', {
    details: { headersNotSigned: unsigned.slice(0, 20).join(', ').slice(0, 1024) },
  });
}

/** `x-amz-cf-id` is put in by a CDN on the way and means nothing here. */
function mustBeSigned(name: string): boolean {
  return (name.startsWith('x-amz-') || name.startsWith('x-bonded-')) && name !== 'x-amz-cf-id';
}
