import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newDirectory, raze } from '../../main/rig.ts';
import type { Bench } from './bench.ts';
import { digestField, openBench } from './bench.ts';

const TUS = { 'tus-resumable': '1.0.0' };
const PART = { ...TUS, 'content-type': 'application/offset+octet-stream' };

/** Namespace, Secret and bindings of one key. */
function key(name: string, grants: readonly (readonly [role: string, bucket: string, names: string])[]): string {
  const secret = `kind: Secret
apiVersion: v1
metadata: { name: ${name}, namespace: team-a }
stringData: { accessKeyId: ID-${name}, secretAccessKey: secret-of-${name}-0123456789 }
`;
  const bindings = grants.map(
    ([role, bucket, names], index) => `kind: AccessBinding
apiVersion: bonded.dev/v1alpha1
metadata: { name: ${name}-${index}, namespace: team-a }
spec: { subjects: [{ accessKey: { secretName: ${name} } }], role: ${role}, resources: [{ bucket: ${bucket}, names: ['${names}'] }] }
`,
  );
  return [secret, ...bindings].map((text) => `---\n${text}`).join('');
}

const MANIFESTS = `kind: Bucket
apiVersion: bonded.dev/v1alpha1
metadata: { name: team, namespace: team-a }
spec: { immutability: [{ match: 'fixed/**' }] }
---
kind: Bucket
apiVersion: bonded.dev/v1alpha1
metadata: { name: browsed, namespace: team-a }
spec:
  cors:
    - allowedOrigins: ['https://page.example']
      allowedMethods: [PUT, POST, HEAD]
      allowedHeaders: ['*']
      maxAgeSeconds: 60
${key('publisher', [['Publisher', 'team', 'pub/**']])}${key('other', [['Publisher', 'team', '**']])}${key('maintainer', [['Maintainer', 'team', '**']])}`;

describe('uploads: who may', () => {
  let bench: Bench;
  const as =
    (name: string) =>
    (method: string, path: string, headers: Record<string, string> = {}, body?: string | Uint8Array): Promise<Response> =>
      bench.send(
        method,
        path,
        { authorization: `Basic ${Buffer.from(`ID-${name}:secret-of-${name}-0123456789`).toString('base64')}`, ...headers },
        body,
      );
  const publisher = as('publisher');
  const other = as('other');
  const maintainer = as('maintainer');

  before(async () => {
    const directory = await newDirectory();
    await mkdir(join(directory, 'manifests'));
    await writeFile(join(directory, 'manifests', 'team.yaml'), MANIFESTS);
    bench = await openBench({ directory });
  });
  after(raze);

  const begun = async (path: string): Promise<string> => {
    const made = await publisher('POST', `/uploads/team/${path}`, { ...TUS, 'upload-length': '4' });
    assert.equal(made.status, 201, await made.text());
    return made.headers.get('location')!;
  };

  it('creates needs the right to the name', async () => {
    assert.equal((await publisher('POST', '/uploads/team/elsewhere', { ...TUS, 'upload-length': '4' })).status, 403);
    assert.equal((await publisher('PUT', '/team/elsewhere', { 'upload-complete': '?0' })).status, 403);
    assert.equal((await publisher('POST', '/uploads/team/elsewhere')).status, 403);
  });

  it('goes on with another’s upload only with the right to delete, and never reads what is staged of it', async () => {
    const url = await begun('pub/mine');
    for (const [method, headers] of [
      ['HEAD', TUS],
      ['PATCH', { ...PART, 'upload-offset': '0' }],
      ['DELETE', TUS],
      ['HEAD', {}],
      ['GET', {}],
      ['DELETE', {}],
    ] as const) {
      assert.equal((await other(method, url, headers, method === 'PATCH' ? 'ab' : undefined)).status, 403, method);
    }
    assert.equal((await maintainer('PATCH', url, { ...PART, 'upload-offset': '0' }, 'ab')).status, 204);
    assert.equal((await maintainer('GET', url, { range: 'bytes=0-1' })).status, 403);
    assert.equal(await (await publisher('GET', url, { range: 'bytes=0-1' })).text(), 'ab');
    assert.equal((await maintainer('DELETE', url, TUS)).status, 204);
  });

  it('never overwrites without the right to: neither a name that was there, nor one that came meanwhile', async () => {
    const url = await begun('pub/raced');
    await publisher('PATCH', url, { ...PART, 'upload-offset': '0' }, 'ab');
    assert.equal((await maintainer('PUT', '/team/pub/raced', {}, 'first')).status, 200);
    assert.equal((await publisher('PATCH', url, { ...PART, 'upload-offset': '2' }, 'cd')).status, 403);
    const told = await publisher('HEAD', url, TUS);
    assert.equal(told.status, 403, 'a tus client that asks is not told that all is well');
    assert.equal(await (await maintainer('GET', '/team/pub/raced')).text(), 'first');
    assert.equal((await publisher('DELETE', url, TUS)).status, 204);
    await maintainer('PUT', '/team/fixed/one', {}, 'first');
    const fixed = await maintainer('PUT', '/team/fixed/one', { 'upload-complete': '?1' }, 'second');
    assert.deepEqual([fixed.status, fixed.headers.get('upload-complete')], [409, '?1']);
  });

  it('names bytes that the store has only for those who may read them', async () => {
    const body = randomBytes(40_000);
    await maintainer('PUT', '/team/secret/original', {}, body);
    const stated = { 'upload-complete': '?0', 'upload-length': String(body.length), 'repr-digest': digestField(body) };
    const refused = await publisher('PUT', '/team/pub/copy', stated);
    assert.equal(refused.headers.get('upload-complete'), '?0', 'who may not read it has to send it');
    const unknown = await publisher('PUT', '/team/pub/copy', { ...stated, 'repr-digest': digestField('what nobody has') });
    const shape = (answer: Response): unknown[] => [answer.status, [...answer.headers.keys()].sort().join()];
    assert.deepEqual(shape(refused), shape(unknown), 'and cannot tell it from bytes that nobody has');
    assert.equal((await maintainer('PUT', '/team/pub/copy', stated)).headers.get('upload-complete'), '?1');
  });

  it('lets pages of other origins upload where the bucket’s rules do', async () => {
    const asked = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'tus-resumable,upload-offset' };
    const preflight = (origin: string, path: string): Promise<Response> =>
      fetch(bench.house.url + path, { method: 'OPTIONS', headers: { origin, ...asked } });
    const allowed = await preflight('https://page.example', '/uploads/browsed/k?session=x');
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://page.example');
    assert.match(allowed.headers.get('access-control-allow-methods')!, /PATCH/);
    assert.equal(allowed.headers.get('access-control-allow-headers'), 'tus-resumable, upload-offset');
    assert.equal((await preflight('https://evil.example', '/uploads/browsed/k')).status, 403);
    assert.equal((await preflight('https://page.example', '/uploads/team/k')).status, 403);
    const answer = await bench.send('POST', '/uploads/browsed/k', { ...TUS, 'upload-length': '4', origin: 'https://page.example' });
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://page.example');
    assert.match(answer.headers.get('access-control-expose-headers')!, /Location.*Upload-Offset/);
  });

  it('holds content to the digest that a signature covers', async () => {
    const url = await begun('pub/signed');
    const hex = Buffer.from(digestField('ab').slice('sha-256=:'.length), 'base64').toString('hex');
    const other_ = await publisher('PATCH', url, { ...PART, 'upload-offset': '0', 'x-amz-content-sha256': hex }, 'XX');
    assert.equal(other_.status, 400);
    assert.equal((await publisher('PATCH', url, { ...PART, 'upload-offset': '0', 'x-amz-content-sha256': hex }, 'ab')).status, 204);
  });
});
