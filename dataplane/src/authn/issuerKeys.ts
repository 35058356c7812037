/** The signing keys of one issuer: found by discovery, kept, and fetched again when they may have been rotated. */
import { createLocalJWKSet, errors as jose, type JSONWebKeySet, type JWTHeaderParameters, type JWTVerifyGetKey } from 'jose';
import { allowInsecureRequests, customFetch, discovery } from 'openid-client';
import { ArtefactError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { createIssuerFetch, type IssuerFetch } from './issuerFetch.ts';
import type { TrustedIssuer } from './trustedIssuer.ts';

const MAX_KEYS = 100;

/** Times, in ms; tests shorten them. */
export interface KeyTimes {
  /** One fetch. */
  readonly timeout: number;
  /** Keys are used this long without looking again. */
  readonly fresh: number;
  /** When the issuer does not answer, its last keys are used until they are this old. */
  readonly stale: number;
  /** Between two fetches for an unknown key, or after a failed one. */
  readonly cooldown: number;
}

export const KEY_TIMES: KeyTimes = { timeout: 5_000, fresh: 600_000, stale: 3_600_000, cooldown: 10_000 };

export interface IssuerKeys {
  /** jose's key resolver. Throws `Unavailable` when the issuer must be asked and does not answer; jose's errors otherwise. */
  readonly resolve: JWTVerifyGetKey;
  /** Changes when the keys do: what was verified with earlier ones should be verified again. */
  generation(): number;
}

interface Kept {
  readonly resolve: JWTVerifyGetKey;
  readonly text: string;
  readonly fetchedAt: number;
}

export interface IssuerKeysOptions {
  readonly clock: () => number;
  readonly log: Log;
  readonly times?: KeyTimes;
}

/** Keys of an issuer. Nothing is fetched before the first token of that issuer comes; all who wait share one fetch. */
export function createIssuerKeys(issuer: TrustedIssuer, options: IssuerKeysOptions): IssuerKeys {
  const { clock, log, times = KEY_TIMES } = options;
  const fetch = createIssuerFetch({ caFile: issuer.caFile, timeout: times.timeout });
  let kept: Kept | undefined;
  /** Kept until a fetch fails: then it may have moved. */
  let address: string | undefined;
  let generation = 0;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let pending: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    attemptedAt = clock();
    try {
      address ??= issuer.jwksUri ?? (await discoverKeys(issuer, fetch));
      const text = await fetchKeys(address, fetch);
      const resolve = text === kept?.text ? kept.resolve : parseKeys(text);
      if (text !== kept?.text) generation += 1;
      kept = { resolve, text, fetchedAt: clock() };
      failure = undefined;
    } catch (thrown) {
      failure = thrown;
      address = undefined;
      log.warn({ issuer: issuer.issuer, err: thrown, keysKept: kept !== undefined }, 'the keys of a trusted issuer could not be fetched');
    }
  }

  /** Ms; never negative, so that a clock that was put back makes nothing look young. */
  const since = (then: number): number => Math.abs(clock() - then);

  /** True when the keys were fetched anew. */
  async function tryRefresh(): Promise<boolean> {
    if (pending === undefined && since(attemptedAt) < times.cooldown) return false;
    pending ??= refresh().finally(() => (pending = undefined));
    await pending;
    return failure === undefined;
  }

  async function usable(): Promise<Kept> {
    if (since(kept?.fetchedAt ?? Number.NEGATIVE_INFINITY) > times.fresh) await tryRefresh();
    if (kept === undefined || since(kept.fetchedAt) > times.stale) throw unavailable(issuer, failure);
    return kept;
  }

  return {
    async resolve(header: JWTHeaderParameters, token) {
      const keys = await usable();
      try {
        return await keys.resolve(header, token);
      } catch (thrown) {
        if (!(thrown instanceof jose.JWKSNoMatchingKey)) throw thrown;
        if (await tryRefresh()) return (kept ?? keys).resolve(header, token);
        if (failure !== undefined) throw unavailable(issuer, failure);
        throw thrown;
      }
    },
    generation: () => generation,
  };
}

async function fetchKeys(address: string, fetch: IssuerFetch): Promise<string> {
  const answer = await fetch(address, { headers: { accept: 'application/jwk-set+json, application/json' } });
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`);
  return answer.text();
}

/** OpenID Connect Discovery 1.0 §4: the document must name this very issuer, and keys come over TLS or from the same origin. */
async function discoverKeys(issuer: TrustedIssuer, fetch: IssuerFetch): Promise<string> {
  const url = new URL(issuer.issuer);
  const insecure = url.protocol === 'http:' ? [allowInsecureRequests] : [];
  const configuration = await discovery(url, 'bonded', undefined, undefined, {
    execute: insecure,
    [customFetch]: (address, init) => fetch(address, { headers: Object.fromEntries(new Headers(init.headers)) }),
  });
  const { issuer: named, jwks_uri: address } = configuration.serverMetadata();
  if (named !== issuer.issuer) throw new Error(`The discovery document names another issuer: ${named}`);
  if (address === undefined || !URL.canParse(address)) throw new Error('The discovery document has no jwks_uri');
  const { protocol, origin } = new URL(address);
  if (protocol !== 'https:' && origin !== url.origin)
    throw new Error(`The keys' address is neither https nor of the issuer's origin: ${address}`);
  return address;
}

/** jose passes over keys that are not for signatures, and over symmetric ones. */
function parseKeys(text: string): JWTVerifyGetKey {
  const document = JSON.parse(text) as Partial<JSONWebKeySet> | null;
  const keys = document?.keys;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new Error(`A key set has an array of at most ${MAX_KEYS} keys`);
  return createLocalJWKSet({ keys });
}

function unavailable(issuer: TrustedIssuer, cause: unknown): ArtefactError {
  return new ArtefactError('Unavailable', `The issuer ${issuer.issuer} cannot be reached to check this token. Try again.`, { cause });
}
