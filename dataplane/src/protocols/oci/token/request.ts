/** What a client says to the token endpoint, in either of its forms. */
import { ArtefactError } from '../../../errors.ts';
import { parseScopes, type Scope } from './scope.ts';

/** Where the credentials are. */
export type Grant =
  | { readonly kind: 'head' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'refresh'; readonly token: string };

export interface TokenRequest {
  readonly grant: Grant;
  readonly scopes: readonly Scope[];
  /** A refresh token is asked for too. */
  readonly offline: boolean;
}

/** Names and values, in order. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/**
 * Reads the query of a GET: https://distribution.github.io/distribution/spec/auth/token/. What else clients send says nothing
 * here: `service` is always this store, `client_id` and `account` are what they call themselves. Throws `InvalidArgument`.
 */
export function readQuery(query: Pairs): TokenRequest {
  return { grant: { kind: 'head' }, scopes: scopesIn(query), offline: one(query, 'offline_token') === 'true' };
}

/** Reads the form of a POST: https://distribution.github.io/distribution/spec/auth/oauth/. Throws `InvalidArgument`. */
export function readForm(form: Pairs): TokenRequest {
  return { grant: grantIn(form), scopes: scopesIn(form), offline: one(form, 'access_type') === 'offline' };
}

function grantIn(form: Pairs): Grant {
  const type = one(form, 'grant_type');
  switch (type) {
    case 'password':
      return { kind: 'password', username: needed(form, 'username'), password: needed(form, 'password') };
    case 'refresh_token':
      return { kind: 'refresh', token: needed(form, 'refresh_token') };
    default:
      throw invalid('grant_type', 'The grant_type must be password or refresh_token.');
  }
}

function scopesIn(pairs: Pairs): readonly Scope[] {
  return parseScopes(pairs.filter(([name]) => name === 'scope').map(([, value]) => value));
}

function needed(form: Pairs, name: string): string {
  const value = one(form, name);
  if (value !== undefined && value !== '') return value;
  throw invalid(name, `The form must have the parameter ${name}.`);
}

/** Two readers of a parameter that is given twice could take different ones. */
function one(pairs: Pairs, name: string): string | undefined {
  const [value, ...others] = pairs.filter(([candidate]) => candidate === name).map(([, each]) => each);
  if (others.length > 0) throw invalid(name, `The parameter ${name} is given twice.`);
  return value;
}

function invalid(argumentName: string, message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, { details: { argumentName } });
}
