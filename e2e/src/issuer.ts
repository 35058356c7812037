/** An OpenID Connect issuer that gives real, signed access tokens to clients that stand for people and pipelines. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { freePorts } from './ports.ts';

export const AUDIENCE = 'bonded';

/** Client ids with the claims that their tokens carry. */
export type Subjects = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface TokenOptions {
  readonly audience?: string;
  /** Seconds until it expires, 300 by default. */
  readonly lifetime?: number;
}

export interface Issuer {
  readonly url: string;
  token(subject: string, options?: TokenOptions): Promise<string>;
  /** Goes on with a new signing key and forgets the old one. */
  rotateKey(): void;
  stop(): Promise<void>;
}

const SECRET = 'only-for-tests';

export async function startIssuer(subjects: Subjects): Promise<Issuer> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const lifetimes = new Map<string, number>();
  let answer = makeProvider(url, subjects, lifetimes).callback();
  const server = createServer((request, response) => answer(request, response)).listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    url,
    async token(subject, { audience = AUDIENCE, lifetime = 300 } = {}) {
      const resource = `urn:${audience}`;
      lifetimes.set(resource, lifetime);
      const reply = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${subject}:${SECRET}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const body = (await reply.json()) as { readonly access_token?: string };
      if (body.access_token === undefined) throw new Error(`The issuer gave no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    rotateKey() {
      answer = makeProvider(url, subjects, lifetimes).callback();
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function makeProvider(url: string, subjects: Subjects, lifetimes: ReadonlyMap<string, number>): Provider {
  return new Provider(url, {
    clients: Object.keys(subjects).map((clientId) => ({
      client_id: clientId,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    jwks: { keys: [newKey()] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${AUDIENCE}`,
        getResourceServerInfo: (_context, resource) => ({
          scope: '',
          audience: resource.slice('urn:'.length),
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetimes.get(resource) ?? 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_context, { clientId }) => subjects[clientId] ?? {},
  });
}

function newKey(): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}
