/** An issuer of OIDC tokens for tests: a real server on a port of its own, with faults on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';

export type Fault =
  'none' | 'status 500' | 'hang up' | 'silence' | 'huge' | 'redirect' | 'not JSON' | 'other issuer' | 'issuer in other letters';

/** A key the issuer signs with. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface TestIssuer {
  readonly url: string;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  /** What the issuer publishes. */
  published: readonly JWK[];
  fault: Fault;
  /** Where its discovery document says that the keys are; default at its own address. */
  keysAt?: string;
  stop(): Promise<void>;
}

type CryptoKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

export async function issuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** A token of that issuer for audience `bonded`, good for 10 minutes from `now` (ms), but for what `claims` says otherwise. */
export function sign(key: IssuerKey, issuer: string, claims: JWTPayload, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const payload = { iss: issuer, sub: 'ci', aud: 'bonded', iat: seconds, exp: seconds + 600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
}

/** A token whose parts are just these. */
export function handmade(header: object, payload: object, signature = ''): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

/** Starts one on a free port; over TLS with a certificate for `localhost`. */
export async function startIssuer(tls?: { readonly certificate: string; readonly key: string }): Promise<TestIssuer> {
  const asked = new Map<string, number>();
  const silent = new Set<ServerResponse>();
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    answer(path, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${port}/realms/dev`;

  function answer(path: string, response: ServerResponse): void {
    switch (issuer.fault) {
      case 'status 500':
        return void response.writeHead(500).end('{}');
      case 'hang up':
        return void response.destroy();
      case 'silence':
        return void silent.add(response);
      case 'redirect':
        return void response.writeHead(302, { location: `${url}/elsewhere` }).end();
      case 'not JSON':
        return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
      default:
        return serve(path, response);
    }
  }

  function serve(path: string, response: ServerResponse): void {
    const padding = issuer.fault === 'huge' ? { padding: 'x'.repeat(300_000) } : {};
    const json = (document: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...document, ...padding }));
    if (path === '/realms/dev/keys') return void json({ keys: issuer.published });
    if (path !== '/realms/dev/.well-known/openid-configuration') return void response.writeHead(404).end();
    const names: Partial<Record<Fault, string>> = {
      'other issuer': 'https://elsewhere.example',
      'issuer in other letters': url.replace('http:', 'HTTP:'),
    };
    json({ issuer: names[issuer.fault] ?? url, jwks_uri: issuer.keysAt ?? `${url}/keys`, authorization_endpoint: `${url}/auth` });
  }

  const issuer: TestIssuer = {
    url,
    asked,
    published: [],
    fault: 'none',
    stop: () => {
      for (const response of silent) response.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return issuer;
}
