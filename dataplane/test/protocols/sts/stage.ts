/** A stage for STS: requests in, XML out, with a real authenticator and an issuer that is a local server. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createAuthenticator } from '../../../src/authn/authenticate.ts';
import type { Authenticator } from '../../../src/authn/authenticate.ts';
import { ANONYMOUS } from '../../../src/authn/principal.ts';
import type { Principal } from '../../../src/authn/principal.ts';
import { ephemeralSigningKey } from '../../../src/authn/signingKey.ts';
import type { Core } from '../../../src/core/core.ts';
import { ArtefactError, asArtefactError } from '../../../src/errors.ts';
import type { Call, RequestHead } from '../../../src/protocols/contract.ts';
import { createStsProtocol } from '../../../src/protocols/sts/protocol.ts';

export const KEY = { namespace: 'team-a', secretName: 'nightly', accessKeyId: 'NIGHTLY', secretAccessKey: 'nightly-secret' };
export const FORM = 'application/x-www-form-urlencoded; charset=utf-8';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  readonly operation?: string;
  /** Who the request went on as. */
  readonly principal: Principal;
  /** The text of the first element of that name. */
  text(element: string): string | undefined;
}

export interface Stage {
  readonly authenticator: Authenticator;
  /** A signed token of the trusted issuer. */
  token(claims?: Readonly<Record<string, unknown>>, expiresIn?: string): Promise<string>;
  send(method: string, target: string, request?: { headers?: Record<string, string>; body?: string }): Promise<Answer>;
  close(): void;
}

/** Starts the issuer, on a port of its own. */
export async function createStage(): Promise<Stage> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const discovery = { issuer, jwks_uri: `${issuer}/keys`, authorization_endpoint: `${issuer}/a`, response_types_supported: ['code'] };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : discovery));
  });
  await listening(server);
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authenticator = createAuthenticator({ issuers: [{ issuer, audiences: ['bonded'] }], sessionKeys: [ephemeralSigningKey()] });
  return {
    authenticator,
    token: (claims = {}, expiresIn = '5m') =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(issuer)
        .setSubject('repo:acme/app')
        .setAudience('bonded')
        .setExpirationTime(expiresIn)
        .setIssuedAt()
        .sign(privateKey),
    send: (method, target, request = {}) => send(authenticator, headOf(method, target, request.headers), request.body ?? ''),
    close: () => server.close(),
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
}

export function headOf(method: string, target: string, headers: Record<string, string> = {}): RequestHead {
  const [rawPath = '', ...rest] = target.split('?');
  const lower = Object.fromEntries(Object.entries({ host: 'sts.test', ...headers }).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    id: 'request-1',
    method,
    target,
    rawPath,
    query: [...new URLSearchParams(rest.join('?'))],
    headers: lower,
    rawHeaders: Object.entries(lower),
    remoteAddress: '127.0.0.1',
    secure: false,
    host: 'sts.test',
  };
}

async function send(authenticator: Authenticator, head: RequestHead, body: string): Promise<Answer> {
  const protocol = createStsProtocol({ authenticator });
  let name: string | undefined;
  let principal: Principal = ANONYMOUS;
  const answer = async () => {
    try {
      const { operation, params } = protocol.recognise(head);
      name = operation.name;
      const call: Partial<Call<unknown>> = {
        head,
        params: params as unknown,
        payload: {
          bytes: (async function* () {
            yield Buffer.from(body);
          })(),
          trailers: new Map(),
        },
        snapshot: { revision: 'r', buckets: [], bindings: [], policies: [], accessKeys: [KEY] },
        become: (become) => {
          principal = become;
        },
      };
      return await operation.handle(call as Call<unknown>, {} as Core);
    } catch (thrown) {
      if (!(thrown instanceof ArtefactError)) throw thrown;
      return protocol.renderError(asArtefactError(thrown), { head });
    }
  };
  const { status, headers = {}, body: text } = await answer();
  if (typeof text !== 'string') throw new Error('STS answers text');
  return {
    status,
    headers,
    body: text,
    operation: name,
    principal,
    text: (element) => new RegExp(`<${element}>([^<]*)</${element}>`).exec(text)?.[1],
  };
}
