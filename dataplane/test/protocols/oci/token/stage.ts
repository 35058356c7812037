/** A whole house with a bucket, bindings and an issuer, asked over the wire as clients of a registry ask. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistryTokens, type RegistryTokens } from '../../../../src/authn/registryToken.ts';
import { loadSigningKeys } from '../../../../src/authn/signingKey.ts';
import { readSettings } from '../../../../src/config/settings.ts';
import { issuerKey, sign, startIssuer, type TestIssuer } from '../../../authn/issuer.ts';
import { environmentIn, newDirectory, raise, raze, rootKey, type Rig } from '../../../main/rig.ts';

export const CI = { id: 'ID-ci', secret: 'secret-of-ci-0123456789abcdef' };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, when it is JSON. */
  readonly json: TokenAnswer & { readonly errors?: readonly { readonly code: string; readonly message: string }[] };
}

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope: string;
  readonly refresh_token?: string;
}

export interface Stage {
  readonly rig: Rig;
  readonly issuer: TestIssuer;
  readonly root: { readonly id: string; readonly secret: string };
  /** A token of the issuer, which lives for `seconds`. */
  oidc(claims?: Readonly<Record<string, unknown>>, seconds?: number): Promise<string>;
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** GET of the token endpoint with these parameters. */
  get(parameters: string, authorization?: string): Promise<Answer>;
  /** POST of a form to it. */
  post(form: Readonly<Record<string, string>> | string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Tokens as this house makes them, by another clock. */
  tokensAt(now: number): Promise<RegistryTokens>;
  /** Puts other bindings in force. */
  bind(yaml: string): Promise<void>;
  close(): Promise<void>;
}

export const BINDINGS = `
kind: AccessBinding
metadata: { name: ci, namespace: team-a }
spec: { subjects: [{ accessKey: { secretName: ci } }], role: Publisher, resources: [{ bucket: builds, names: ['app', 'app/**'] }] }
---
kind: AccessBinding
metadata: { name: people, namespace: team-a }
spec: { subjects: [{ oidc: { issuer: ISSUER, claims: { groups: [devs] } } }], role: Maintainer, resources: [{ bucket: builds }] }
---
kind: AccessBinding
metadata: { name: everybody, namespace: team-a }
spec: { subjects: [{ anonymous: {} }], role: Reader, resources: [{ bucket: builds, names: ['open'] }] }
`;

const RESOURCES = `
kind: Bucket
metadata: { name: builds, namespace: team-a }
spec: {}
---
kind: Secret
metadata: { name: ci, namespace: team-a }
stringData: { accessKeyId: ${CI.id}, secretAccessKey: ${CI.secret} }
`;

export const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
export const bearer = (token: string) => `Bearer ${token}`;

export async function createStage(): Promise<Stage> {
  const key = await issuerKey('k1');
  const issuer = await startIssuer();
  issuer.published = [key.jwk];
  const directory = await newDirectory();
  const issuers = join(directory, 'issuers.yaml');
  await writeFile(issuers, `- issuer: ${issuer.url}\n  audiences: [bonded]\n`);
  await mkdir(join(directory, 'manifests'));
  const manifest = (name: string, yaml: string) => writeFile(join(directory, 'manifests', name), readable(yaml, issuer.url));
  await manifest('resources.yaml', RESOURCES);
  await manifest('bindings.yaml', BINDINGS);
  const rig = await raise({ directory, environment: { BONDED_OIDC_ISSUERS: issuers } });
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const answer = await fetch(rig.house.url + path, init);
    const text = await answer.text();
    const json =
      answer.headers.get('content-type')?.includes('json') === true ? (JSON.parse(text) as Answer['json']) : ({} as Answer['json']);
    return { status: answer.status, headers: answer.headers, text, json };
  };
  return {
    rig,
    issuer,
    root: await rootKey(directory),
    oidc: (claims = { groups: ['devs'] }, seconds = 600) =>
      sign(key, issuer.url, { exp: Math.floor(Date.now() / 1000) + seconds, ...claims }, Date.now()),
    ask,
    get: (parameters, authorization) => ask(`/auth/token?${parameters}`, authorization === undefined ? {} : { headers: { authorization } }),
    post: (form, headers = {}) =>
      ask('/auth/token', {
        method: 'POST',
        body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
    tokensAt: async (now) => {
      const keys = await loadSigningKeys(readSettings(environmentIn(directory)).signingKeyFile);
      return createRegistryTokens({ keys, clock: () => now, trusts: () => true });
    },
    bind: (yaml) => manifest('bindings.yaml', yaml),
    close: async () => {
      await raze();
      await issuer.stop();
    },
  };
}

/** Asks until the answer holds, for at most eight seconds: manifests are read again when they change. */
export async function eventually(ask: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<void> {
  const deadline = Date.now() + 8000;
  let last = await ask();
  while (!holds(last) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    last = await ask();
  }
  assert.ok(holds(last), `${last.status} ${last.text}`);
}

function readable(yaml: string, issuer: string): string {
  return yaml
    .replaceAll('ISSUER', issuer)
    .replaceAll(/^kind: Secret$/gm, 'apiVersion: v1\nkind: Secret')
    .replaceAll(/^kind: (Bucket|AccessBinding)$/gm, 'apiVersion: bonded.dev/v1alpha1\nkind: $1');
}
