/** `POST /api/v1/presign`: a URL that acts as the caller for a while. */
import type { Authenticator } from '../../authn/authenticate.ts';
import type { Principal } from '../../authn/principal.ts';
import { accessKeysIn } from '../accessKeys.ts';
import { ANY_AUTHENTICATED } from './demands.ts';
import { endpointFor } from './endpoint.ts';
import type { EndpointDeps } from './endpoint.ts';
import { invalid, mapOf, oneOf, optional, text, wholeNumber, withDefault } from './fields.ts';
import type { Fields } from './fields.ts';
import { json, readJson } from './json.ts';
import { bucketName, key as keyReader } from './parameters.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

export interface PresignDeps extends EndpointDeps {
  readonly authenticator: Pick<Authenticator, 'presign'>;
  /** Ms since the epoch. */
  readonly clock: () => number;
}

/** Seconds, where the caller does not say and has as long. */
const DEFAULT_EXPIRES = 3600;

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const;

interface PresignBody {
  readonly method: (typeof METHODS)[number];
  readonly bucket: string;
  readonly key?: string;
  readonly expiresIn?: number;
  readonly query: Readonly<Record<string, string>>;
}

/** A signature's own parameters are not for callers to choose. */
const queryName = (given: unknown, name: string): string => {
  const value = text({ max: 128 })(given, name);
  if (value.toLowerCase().startsWith('x-amz-')) throw invalid(name, "A 'query' must not hold parameters of the signature (X-Amz-…).");
  return value;
};

const FIELDS: Fields<PresignBody> = {
  method: oneOf(...METHODS),
  bucket: bucketName,
  key: optional(keyReader),
  expiresIn: optional(wholeNumber(1, 604_800)),
  query: withDefault({}, mapOf(queryName, text({ min: 0, max: 2048 }), 32)),
};

/** Whether the caller may do it is not asked here: rights are judged when the URL is used. */
export function presign(deps: PresignDeps): Row {
  return row<Readonly<Record<never, never>>>({
    name: 'admin.Presign',
    method: 'POST',
    path: '/api/v1/presign',
    fields: {},
    demands: () => [ANY_AUTHENTICATED],
    async handle(call) {
      const { method, bucket, key, query, expiresIn } = await readJson(call, FIELDS);
      // what is signed has whole seconds
      const now = Math.floor(deps.clock() / 1000) * 1000;
      const expiresSeconds = expiresIn ?? Math.min(DEFAULT_EXPIRES, secondsLeft(call.principal, now));
      const request = { method, endpoint: endpointFor(call.head, deps), bucket, key, query: Object.entries(query), expiresSeconds };
      const url = deps.authenticator.presign(call.principal, request, accessKeysIn(call.snapshot));
      return json(200, { url, method, expires: new Date(now + expiresSeconds * 1000).toISOString() });
    },
  });
}

/** How long the caller itself has. */
function secondsLeft({ sessionExpires }: Principal, now: number): number {
  return sessionExpires === undefined ? Infinity : Math.max(1, Math.floor((sessionExpires - now) / 1000) - 1);
}
