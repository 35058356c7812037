import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newDirectory, raze } from '../../main/rig.ts';
import type { Registry } from './client.ts';
import { described, digestOf, imageOf, OCI_IMAGE, openRegistry, refusal } from './client.ts';

/** A key of team-a with one role in some repositories. */
function key(name: string, role: string, bucket: string, names: string): string {
  return `---
kind: Secret
apiVersion: v1
metadata: { name: ${name}, namespace: team-a }
stringData: { accessKeyId: ID-${name}, secretAccessKey: secret-of-${name}-0123456789 }
---
kind: AccessBinding
apiVersion: bonded.dev/v1alpha1
metadata: { name: ${name}, namespace: team-a }
spec: { subjects: [{ accessKey: { secretName: ${name} } }], role: ${role}, resources: [{ bucket: ${bucket}, names: ['${names}'] }] }
`;
}

const MANIFESTS = `---
kind: Bucket
apiVersion: bonded.dev/v1alpha1
metadata: { name: team, namespace: team-a }
spec: {}
${key('own', 'Maintainer', 'team', 'own')}${key('twin', 'Maintainer', 'team', 'own')}${key('publisher', 'Publisher', 'team', 'pub*')}${key('reader', 'Reader', 'team', '**')}`;

const OWN = 'team/own';
const SECRET = 'team/secret';

describe('oci: a caller with rights on one repository', () => {
  let registry: Registry;
  let hidden: { readonly digest: string };
  const basic = (name: string): string => `Basic ${Buffer.from(`ID-${name}:secret-of-${name}-0123456789`).toString('base64')}`;
  const as =
    (name: string) =>
    (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> =>
      registry.send(method, path, { authorization: basic(name), ...headers }, body);
  const own = as('own');
  const image = { 'content-type': OCI_IMAGE };

  before(async () => {
    const directory = await newDirectory();
    await mkdir(join(directory, 'manifests'));
    await writeFile(join(directory, 'manifests', 'team.yaml'), MANIFESTS);
    registry = await openRegistry({ directory });
    const subject = described('subject', OCI_IMAGE);
    hidden = await registry.image(SECRET, 'v1', { subject });
    await registry.blob(OWN, '{}');
  });
  after(raze);

  it('gets the same answer from another one, whatever is there', async () => {
    const layer = digestOf('layer');
    const requests: readonly (readonly [method: string, rest: string, body?: string])[] = [
      ['GET', 'tags/list'],
      ['GET', 'manifests/v1'],
      ['HEAD', 'manifests/v1'],
      ['GET', `manifests/${hidden.digest}`],
      ['GET', `blobs/${layer}`],
      ['HEAD', `blobs/${layer}`],
      ['GET', `referrers/${described('subject').digest}`],
      ['PUT', 'manifests/v2', imageOf([described('layer')])],
      ['PUT', `manifests/${hidden.digest}`, '{}'],
      ['DELETE', 'manifests/v1'],
      ['DELETE', `manifests/${hidden.digest}`],
      ['DELETE', `blobs/${layer}`],
      ['POST', 'blobs/uploads/'],
      ['POST', `blobs/uploads/?mount=${layer}&from=${OWN}`],
      ['GET', 'blobs/uploads/01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ];
    for (const [method, rest, body] of requests) {
      const [there, nowhere, noBucket] = await Promise.all(
        [SECRET, 'team/nowhere', 'nobody/nothing'].map((name) => own(method, `/v2/${name}/${rest}`, image, body)),
      );
      for (const answer of [there!, nowhere!, noBucket!]) {
        assert.equal(answer.status, 403, `${method} ${rest}`);
        if (method !== 'HEAD') assert.deepEqual(await refusal(answer), [403, 'DENIED']);
      }
    }
    assert.equal((await registry.send('GET', `/v2/${SECRET}/manifests/v1`)).status, 200, 'nothing was done');
  });

  it('mounts nothing out of it, however it asks, and does not learn whether it is there', async () => {
    const answers: string[] = [];
    for (const digest of [digestOf('layer'), digestOf('nowhere')]) {
      for (const from of [`&from=${SECRET}`, '', '&from=team', '&from=../secret', `&from=${encodeURIComponent('team/SECRET')}`]) {
        const answer = await own('POST', `/v2/${OWN}/blobs/uploads/?mount=${digest}${from}`);
        answers.push(`${answer.status} ${answer.headers.has('docker-content-digest')}`);
        assert.equal((await own('HEAD', `/v2/${OWN}/blobs/${digest}`)).status, 404);
      }
    }
    assert.deepEqual([...new Set(answers)], ['202 false']);
    const pushed = await own('PUT', `/v2/${OWN}/manifests/1`, image, imageOf([described('layer')]));
    assert.deepEqual(await refusal(pushed), [404, 'MANIFEST_BLOB_UNKNOWN'], 'nor by naming it');
  });

  it('sees only its own in the catalogue, and where a digest is kept', async () => {
    await own('PUT', `/v2/${OWN}/manifests/seen`, image, imageOf([]));
    const catalogue = async (who: ReturnType<typeof as>): Promise<unknown> =>
      ((await (await who('GET', '/v2/_catalog')).json()) as { repositories: unknown }).repositories;
    assert.deepEqual(await catalogue(own), [OWN]);
    assert.deepEqual(await catalogue(as('reader')), [OWN, SECRET]);
    assert.deepEqual(await catalogue(as('publisher')), []);
    const keep = (who: ReturnType<typeof as>) => who('GET', `/api/v1/digests/${digestOf('layer')}/keep`);
    assert.equal((await keep(own)).status, 404);
    const { names } = (await (await keep(as('reader'))).json()) as { readonly names: readonly unknown[] };
    assert.deepEqual(names, [{ bucket: 'team', key: `secret@${digestOf('layer')}`, versionId: 'null', realm: 'registry' }]);
  });

  it('has no part in the uploads of another caller with the same rights', async () => {
    const begun = await own('POST', `/v2/${OWN}/blobs/uploads/`);
    const location = begun.headers.get('location')!;
    const twin = as('twin');
    for (const [method, path] of [
      ['GET', location],
      ['PATCH', location],
      ['PUT', `${location}?digest=${digestOf('x')}`],
      ['DELETE', location],
    ] as const) {
      assert.deepEqual(await refusal(await twin(method, path, {}, method === 'PATCH' ? 'x' : undefined)), [404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    const elsewhere = location.replace(OWN, 'team/pubs');
    assert.deepEqual(await refusal(await as('publisher')('GET', elsewhere)), [404, 'BLOB_UPLOAD_UNKNOWN']);
    assert.equal((await own('PUT', `${location}?digest=${digestOf('x')}`, {}, 'x')).status, 201);
    assert.deepEqual(await refusal(await twin('PUT', `${location}?digest=${digestOf('x')}`)), [404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('creates tags without the right to move or delete them', async () => {
    const publisher = as('publisher');
    const blob = await publisher('POST', `/v2/team/pub/blobs/uploads/?digest=${digestOf('{}')}`, {}, '{}');
    assert.equal(blob.status, 201);
    const one = imageOf([]);
    const two = imageOf([], { annotations: { n: '2' } });
    assert.equal((await publisher('PUT', '/v2/team/pub/manifests/1', image, one)).status, 201);
    assert.equal((await publisher('PUT', '/v2/team/pub/manifests/1', image, one)).status, 201, 'the same again');
    assert.deepEqual(await refusal(await publisher('PUT', '/v2/team/pub/manifests/1', image, two)), [403, 'DENIED']);
    assert.equal((await publisher('HEAD', `/v2/team/pub/manifests/${digestOf(two)}`)).status, 404, 'nothing is kept of a refused push');
    assert.equal((await publisher('PUT', '/v2/team/pub/manifests/2', image, two)).status, 201);
    assert.deepEqual(await refusal(await publisher('DELETE', '/v2/team/pub/manifests/2')), [403, 'DENIED']);
  });

  it('finds none of a registry among the keys of the bucket, and writes none there', async () => {
    const list = await (await registry.send('GET', '/team?list-type=2')).text();
    assert.match(list, /<KeyCount>0<\/KeyCount>/);
    for (const path of ['/team/t/own:1', `/team/m/secret@${hidden.digest}`, '/team/u/own']) {
      assert.equal((await registry.send('GET', path)).status, 404);
    }
  });
});
