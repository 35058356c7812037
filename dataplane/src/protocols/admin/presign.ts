/** `POST /api/v1/presign`: a URL that acts as the caller for a while. */
import type { Principal } from '../../authn/principal.ts';
import { ArtefactError } from '../../errors.ts';
import { ANY_AUTHENTICATED } from './demands.ts';
import { endpointFor } from './endpoint.ts';
import type { EndpointDeps } from './endpoint.ts';
import { invalid, mapOf, oneOf, optional, text, wholeNumber, withDefault } from './fields.ts';
import type { Fields } from './fields.ts';
import { json, readJson } from './json.ts';
import { bucketName, key } from './parameters.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

/** What is to be signed. */
export interface PresignRequest {
  readonly method: string;
  /** Scheme and authority, such as `https://store.example`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly key?: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly query: Readonly<Record<string, string>>;
}

export interface PresignDeps extends EndpointDeps {
  /** Signs a URL as the principal. `expires` (ms since the epoch) is sooner than asked for where its session or token ends sooner. */
  presign(principal: Principal, request: PresignRequest): Promise<{ readonly url: string; readonly expires: number }>;
}

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const;

interface PresignBody {
  readonly method: (typeof METHODS)[number];
  readonly bucket: string;
  readonly key?: string;
  readonly expiresIn: number;
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
  key: optional(key),
  expiresIn: withDefault(3600, wholeNumber(1, 604_800)),
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
      const body = await readJson(call, FIELDS);
      if (call.principal.kind === 'anonymous')
        throw new ArtefactError('CredentialsMissing', 'A URL can only be signed for who has credentials.');
      const { url, expires } = await deps.presign(call.principal, { ...body, endpoint: endpointFor(call.head, deps) });
      return json(200, { url, method: body.method, expires: new Date(expires).toISOString() });
    },
  });
}
