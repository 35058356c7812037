/** An issuer of OIDC tokens that the installation trusts. */
import type { TrustedIssuer } from '../config/issuers.ts';
import { ArtefactError } from '../errors.ts';

export type { TrustedIssuer } from '../config/issuers.ts';

/** Asymmetric only: with a symmetric one, whoever can check a token can make one. */
export const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export const DEFAULT_SKEW = 30;
const MAX_SKEW = 300;

/** The issuers by their URL. Throws `InvalidArgument` for a list that could not be enforced as it stands. */
export function indexIssuers(issuers: readonly TrustedIssuer[]): ReadonlyMap<string, TrustedIssuer> {
  const byUrl = new Map<string, TrustedIssuer>();
  for (const issuer of issuers) {
    const fault = faultOf(issuer) ?? (byUrl.has(issuer.issuer) ? 'is listed twice' : undefined);
    if (fault !== undefined) throw new ArtefactError('InvalidArgument', `The trusted issuer ${issuer.issuer} ${fault}.`);
    byUrl.set(issuer.issuer, issuer);
  }
  return byUrl;
}

function faultOf(issuer: TrustedIssuer): string | undefined {
  const addresses = [issuer.issuer, ...(issuer.jwksUri === undefined ? [] : [issuer.jwksUri])];
  if (!addresses.every(isHttpUrl)) return 'needs http or https URLs';
  if (issuer.audiences.length === 0) return 'needs at least one audience';
  const unknown = issuer.algorithms?.find((algorithm) => !ALGORITHMS.includes(algorithm));
  if (unknown !== undefined) return `must not use the algorithm ${unknown}; known are ${ALGORITHMS.join(', ')}`;
  const skew = issuer.clockSkewSeconds ?? DEFAULT_SKEW;
  if (!(skew >= 0 && skew <= MAX_SKEW)) return `needs a clock skew of 0 to ${MAX_SKEW} seconds`;
  return undefined;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
