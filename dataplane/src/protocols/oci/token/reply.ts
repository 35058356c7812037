/** The answer of the token endpoint. */
import type { RegistryTokens } from '../../../authn/registryToken.ts';
import type { AccessKeyLookup } from '../../../authn/signer.ts';
import type { Call, Reply } from '../../contract.ts';
import { grantScopes } from './grant.ts';
import type { TokenRequest } from './request.ts';

export interface Issuing {
  readonly tokens: RegistryTokens;
  readonly lookup: AccessKeyLookup;
}

/**
 * An access token for what the call's principal may do of what was asked, and a refresh token where one was asked for and
 * the principal is somebody. The fields are those of both specifications, token.md and oauth.md.
 */
export function tokenReply(call: Call<unknown>, request: TokenRequest, { tokens, lookup }: Issuing): Reply {
  const { principal } = call;
  const { limits, scope } = grantScopes(request.scopes, (demand) => call.may(demand));
  const { token, issued, expires } = tokens.issue(principal, limits, lookup);
  const refresh = request.offline ? refreshToken(call, request, { tokens, lookup }) : undefined;
  const document = {
    token,
    access_token: token,
    token_type: 'Bearer',
    expires_in: Math.floor((expires - issued) / 1000),
    issued_at: new Date(issued).toISOString(),
    scope,
    refresh_token: refresh,
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(document)}\n`,
  };
}

/** "If the grant type is refresh_token this will only return the same refresh token and not a new one." */
function refreshToken({ principal }: Call<unknown>, { grant }: TokenRequest, { tokens, lookup }: Issuing): string | undefined {
  if (grant.kind === 'refresh') return grant.token;
  return principal.kind === 'anonymous' ? undefined : tokens.issueRefresh(principal, lookup);
}
