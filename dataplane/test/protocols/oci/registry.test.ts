import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { raze } from '../../main/rig.ts';
import type { Registry } from './client.ts';
import { BUCKET, described, digestOf, imageOf, OCI_IMAGE, OCI_INDEX, openRegistry, refusal } from './client.ts';

describe('oci: over HTTP', () => {
  let registry: Registry;
  let count = 0;
  let repository = '';
  before(async () => {
    registry = await openRegistry();
  });
  after(raze);
  beforeEach(() => {
    repository = `${BUCKET}/r${(count += 1)}`;
  });

  const upload = async (): Promise<string> => {
    const begun = await registry.send('POST', `/v2/${repository}/blobs/uploads/`, { 'content-length': '0' });
    assert.equal(begun.status, 202);
    assert.equal(begun.headers.get('docker-distribution-api-version'), 'registry/2.0');
    return begun.headers.get('location')!;
  };
  const closing = (location: string, digest: string): string => `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;

  it('answers the version to whoever logged in, and asks all others to', async () => {
    assert.equal((await registry.send('GET', '/v2/')).status, 200);
    const anonymous = await fetch(`${registry.house.url}/v2/`);
    assert.deepEqual(await refusal(anonymous), [401, 'UNAUTHORIZED']);
    assert.match(anonymous.headers.get('www-authenticate')!, /^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/auth\/token",service="127/);
  });

  it('takes a blob in chunks, tells how far it is, and refuses one out of order', async () => {
    const body = randomBytes(300_000);
    const location = await upload();
    const [one, two] = [body.subarray(0, 200_000), body.subarray(200_000)];
    const first = await registry.send('PATCH', location, { 'content-range': '0-199999' }, one);
    assert.deepEqual([first.status, first.headers.get('range')], [202, '0-199999']);
    const early = await registry.send('PATCH', location, { 'content-range': '250000-299999' }, body.subarray(250_000));
    assert.deepEqual(await refusal(early), [416, 'BLOB_UPLOAD_INVALID']);
    assert.deepEqual([early.headers.get('range'), early.headers.get('location')], ['0-199999', location]);
    const state = await registry.send('GET', location);
    assert.deepEqual([state.status, state.headers.get('range'), state.headers.get('location')], [204, '0-199999', location]);
    const outOfOrder = await registry.send('PUT', closing(location, digestOf(body)), { 'content-range': '0-99999' }, two);
    assert.deepEqual(await refusal(outOfOrder), [416, 'BLOB_UPLOAD_INVALID']);
    const closed = await registry.send('PUT', closing(location, digestOf(body)), { 'content-range': '200000-299999' }, two);
    assert.equal(closed.status, 201, await closed.text());
    assert.equal(closed.headers.get('docker-content-digest'), digestOf(body));
    const got = await registry.send('GET', closed.headers.get('location')!);
    assert.ok(Buffer.from(await got.arrayBuffer()).equals(body));
    const again = await registry.send('PUT', closing(location, digestOf(body)));
    assert.equal(again.status, 201, 'the answer of a completion may be lost');
    assert.deepEqual(await refusal(await registry.send('PUT', closing(location, digestOf('other')))), [404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('refuses wrong digests, chunks that lie about their length, and uploads that are none', async () => {
    const location = await upload();
    const lying = await registry.send('PATCH', location, { 'content-range': '0-9' }, 'twelve bytes');
    assert.deepEqual(await refusal(lying), [400, 'SIZE_INVALID']);
    assert.deepEqual(await refusal(await registry.send('PATCH', location, { 'content-range': 'bytes 0-1/2' }, 'ab')), [
      400,
      'BLOB_UPLOAD_INVALID',
    ]);
    assert.deepEqual(await refusal(await registry.send('PUT', location, {}, 'x')), [400, 'DIGEST_INVALID']);
    for (const digest of ['sha256:short', 'sha1:' + 'a'.repeat(40), `sha256:${'A'.repeat(64)}`, `sha512:${'a'.repeat(64)}`, 'md5']) {
      assert.deepEqual(await refusal(await registry.send('PUT', closing(location, digest), {}, 'x')), [400, 'DIGEST_INVALID'], digest);
    }
    assert.deepEqual(await refusal(await registry.send('PUT', closing(location, digestOf('other')), {}, 'this')), [400, 'DIGEST_INVALID']);
    const wrong = await registry.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digestOf('other')}`, {}, 'this');
    assert.deepEqual(await refusal(wrong), [400, 'DIGEST_INVALID']);
    assert.equal((await registry.send('HEAD', `/v2/${repository}/blobs/${digestOf('this')}`)).status, 404);
    for (const id of ['none', '01ARZ3NDEKTSV4RRFFQ69G5FAV', '..%2e']) {
      const response = await registry.send('PATCH', `/v2/${repository}/blobs/uploads/${id}`, {}, 'x');
      assert.deepEqual(await refusal(response), [404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    const other = await upload();
    assert.equal((await registry.send('DELETE', other)).status, 204);
    assert.deepEqual(await refusal(await registry.send('GET', other)), [404, 'BLOB_UPLOAD_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('POST', `/v2/${repository}/blobs/uploads/?digest-algorithm=md5`)), [
      400,
      'DIGEST_INVALID',
    ]);
  });

  it('gives ranges of a blob, and 304 to whoever has it', async () => {
    const digest = await registry.blob(repository, '0123456789');
    const path = `/v2/${repository}/blobs/${digest}`;
    const part = await registry.send('GET', path, { range: 'bytes=2-4' });
    assert.deepEqual([part.status, part.headers.get('content-range'), await part.text()], [206, 'bytes 2-4/10', '234']);
    const beyond = await registry.send('GET', path, { range: 'bytes=10-' });
    assert.deepEqual([beyond.headers.get('content-range'), ...(await refusal(beyond))], ['bytes */10', 416, 'SIZE_INVALID']);
    const etag = (await registry.send('HEAD', path)).headers.get('etag')!;
    assert.equal((await registry.send('GET', path, { 'if-none-match': etag })).status, 304);
    assert.equal(await (await registry.send('GET', path, { range: 'bytes=2-4', 'if-range': '"other"' })).text(), '0123456789');
  });

  it('keeps a manifest byte for byte, under its tag and its digest', async () => {
    const text = `${imageOf([described('layer')])}  \n`;
    for (const body of ['{}', 'layer']) await registry.blob(repository, body);
    const pushed = await registry.send('PUT', `/v2/${repository}/manifests/1.0`, { 'content-type': OCI_IMAGE }, text);
    assert.equal(pushed.status, 201);
    assert.equal(pushed.headers.get('location'), `/v2/${repository}/manifests/${digestOf(text)}`);
    for (const reference of ['1.0', digestOf(text)]) {
      const got = await registry.send('GET', `/v2/${repository}/manifests/${reference}`);
      assert.equal(await got.text(), text);
      assert.deepEqual([got.headers.get('content-type'), got.headers.get('docker-content-digest')], [OCI_IMAGE, digestOf(text)]);
      const asked = await registry.send('HEAD', `/v2/${repository}/manifests/${reference}`);
      assert.deepEqual([asked.status, asked.headers.get('content-length')], [200, String(Buffer.byteLength(text))]);
    }
    const mismatch = await registry.send('PUT', `/v2/${repository}/manifests/${digestOf('x')}`, { 'content-type': OCI_IMAGE }, text);
    assert.deepEqual(await refusal(mismatch), [400, 'DIGEST_INVALID']);
  });

  it('names each blob and child that a manifest lacks', async () => {
    const layers = [described('one'), described('two')];
    const pushed = await registry.send('PUT', `/v2/${repository}/manifests/1`, { 'content-type': OCI_IMAGE }, imageOf(layers));
    const { errors } = (await pushed.clone().json()) as { readonly errors: readonly { readonly detail: { readonly digest: string } }[] };
    assert.deepEqual(await refusal(pushed), [404, 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN']);
    assert.deepEqual(
      errors.map(({ detail }) => detail.digest),
      [digestOf('{}'), ...layers.map(({ digest }) => digest)],
    );
    const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [described('child', OCI_IMAGE)] });
    const sparse = await registry.send('PUT', `/v2/${repository}/manifests/2`, { 'content-type': OCI_INDEX }, index);
    assert.deepEqual(await refusal(sparse), [404, 'MANIFEST_BLOB_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${repository}/tags/list`)), [404, 'NAME_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${repository}/manifests/1`)), [404, 'MANIFEST_UNKNOWN']);
  });

  it('refuses what is no manifest', async () => {
    await registry.blob(repository, '{}');
    const bad: readonly (readonly [string, string, number])[] = [
      ['', OCI_IMAGE, 400],
      ['[]', OCI_IMAGE, 400],
      ['"text"', OCI_IMAGE, 400],
      ['{"schemaVersion":1}', OCI_IMAGE, 400],
      [imageOf([]), OCI_INDEX, 400],
      [
        imageOf([], { mediaType: 'application/vnd.docker.distribution.manifest.v1+json' }),
        'application/vnd.docker.distribution.manifest.v1+json',
        400,
      ],
      [imageOf([], { layers: 'many' }), OCI_IMAGE, 400],
      [imageOf([], { layers: [null] }), OCI_IMAGE, 400],
      [imageOf([], { layers: [{ mediaType: 'x', digest: digestOf('a'), size: -1 }] }), OCI_IMAGE, 400],
      [imageOf([], { layers: [{ mediaType: 'x', digest: 'sha256:..', size: 1 }] }), OCI_IMAGE, 400],
      [imageOf([], { annotations: { a: 1 } }), OCI_IMAGE, 400],
      [imageOf([], { subject: { digest: digestOf('a') } }), OCI_IMAGE, 400],
      [imageOf(Array.from({ length: 1001 }, () => described('x'))), OCI_IMAGE, 400],
      [`{"schemaVersion":2,"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, OCI_IMAGE, 400],
      [imageOf([], { subject: described('a', OCI_IMAGE), annotations: { a: 'x'.repeat(40_000) } }), OCI_IMAGE, 400],
      [' '.repeat(4 * 1024 * 1024 + 1), OCI_IMAGE, 413],
    ];
    for (const [text, type, status] of bad) {
      const response = await registry.send('PUT', `/v2/${repository}/manifests/1`, { 'content-type': type }, text);
      const [got, code] = await refusal(response);
      assert.equal(got, status, text.slice(0, 100));
      assert.ok(['MANIFEST_INVALID', 'SIZE_INVALID', 'DIGEST_INVALID'].includes(code!), code);
    }
    const large = imageOf([], { annotations: { a: 'x'.repeat(4 * 1024 * 1024 - 500) } });
    assert.equal((await registry.send('PUT', `/v2/${repository}/manifests/large`, { 'content-type': OCI_IMAGE }, large)).status, 201);
    for (const tag of ['.a', '-a', 'a'.repeat(129), 'ä']) {
      const response = await registry.send('PUT', `/v2/${repository}/manifests/${tag}`, { 'content-type': OCI_IMAGE }, imageOf([]));
      assert.deepEqual(await refusal(response), [400, 'MANIFEST_INVALID'], tag);
    }
  });

  it('pushes several tags at once, and lists them in pages with links', async () => {
    const { digest, text } = await registry.image(repository, undefined);
    const tags = Array.from({ length: 12 }, (_, n) => `t${n}`);
    const query = tags.map((tag) => `tag=${tag}`).join('&');
    const pushed = await registry.send('PUT', `/v2/${repository}/manifests/${digest}?${query}`, { 'content-type': OCI_IMAGE }, text);
    assert.equal(pushed.status, 201);
    assert.deepEqual(pushed.headers.get('oci-tag')!.split(', '), tags);
    const found: string[] = [];
    for (let path: string | undefined = `/v2/${repository}/tags/list?n=5`; path !== undefined;) {
      const page = await registry.send('GET', path);
      const body = (await page.json()) as { readonly name: string; readonly tags: readonly string[] };
      assert.equal(body.name, repository);
      found.push(...body.tags);
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(found, [...tags].sort());
    const none = (await (await registry.send('GET', `/v2/${repository}/tags/list?n=0`)).json()) as { readonly tags: readonly string[] };
    assert.deepEqual(none.tags, []);
    assert.equal((await registry.send('GET', `/v2/${repository}/tags/list?n=-1`)).status, 400);
    const many = Array.from({ length: 101 }, (_, n) => `tag=x${n}`).join('&');
    const tooMany = await registry.send('PUT', `/v2/${repository}/manifests/${digest}?${many}`, { 'content-type': OCI_IMAGE }, text);
    assert.deepEqual(await refusal(tooMany), [414, 'MANIFEST_INVALID']);
  });

  it('lists referrers of a subject that is not there yet, by type too, and those that a client lists itself', async () => {
    const subject = described('subject', OCI_IMAGE);
    const sbom = await registry.image(repository, undefined, { subject, artifactType: 'sbom', annotations: { a: 'b' } });
    const plain = await registry.image(repository, undefined, { subject });
    const list = async (query = '') => {
      const response = await registry.send('GET', `/v2/${repository}/referrers/${subject.digest}${query}`);
      assert.equal(response.headers.get('content-type'), OCI_INDEX);
      const { manifests } = (await response.json()) as { readonly manifests: readonly Readonly<Record<string, unknown>>[] };
      return { manifests, filtered: response.headers.get('oci-filters-applied') };
    };
    assert.deepEqual((await list()).manifests.map(({ digest }) => digest).sort(), [sbom.digest, plain.digest].sort());
    const { manifests, filtered } = await list('?artifactType=sbom');
    assert.equal(filtered, 'artifactType');
    const size = Buffer.byteLength(sbom.text);
    assert.deepEqual(manifests, [{ mediaType: OCI_IMAGE, digest: sbom.digest, size, artifactType: 'sbom', annotations: { a: 'b' } }]);
    assert.equal((await list('?artifactType=application%2Fvnd.oci.image.config.v1%2Bjson')).manifests.length, 1);
    const signature = await registry.image(repository, 'signature');
    const entry = { mediaType: OCI_IMAGE, digest: signature.digest, size: Buffer.byteLength(signature.text), artifactType: 'old' };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
    const tag = subject.digest.replace(':', '-');
    assert.equal((await registry.send('PUT', `/v2/${repository}/manifests/${tag}`, { 'content-type': OCI_INDEX }, index)).status, 201);
    assert.deepEqual((await list('?artifactType=old')).manifests, [entry]);
    const relisted = JSON.stringify({
      schemaVersion: 2,
      manifests: [{ ...entry, digest: plain.digest, size: Buffer.byteLength(plain.text) }],
    });
    assert.equal((await registry.send('PUT', `/v2/${repository}/manifests/${tag}`, { 'content-type': OCI_INDEX }, relisted)).status, 201);
    assert.equal((await list()).manifests.length, 3, 'one that says so itself counts once');
    assert.equal((await registry.send('DELETE', `/v2/${repository}/manifests/${signature.digest}`)).status, 202);
    assert.deepEqual((await list('?artifactType=old')).manifests, []);
    assert.equal((await registry.send('DELETE', `/v2/${repository}/manifests/${digestOf(relisted)}`)).status, 202);
    assert.equal((await list()).manifests.length, 2);
  });

  it('shows referrers under the fallback tag to clients that look there, as long as their own list lacks some', async () => {
    const subject = described('fallback subject', OCI_IMAGE);
    const path = `/v2/${repository}/manifests/${subject.digest.replace(':', '-')}`;
    assert.equal((await registry.send('GET', path)).status, 404);
    const one = await registry.image(repository, undefined, { subject });
    const read = async () => {
      const got = await registry.send('GET', path);
      const text = await got.text();
      assert.deepEqual([got.headers.get('content-type'), got.headers.get('docker-content-digest')], [OCI_INDEX, digestOf(text)]);
      assert.equal((await registry.send('HEAD', path)).headers.get('docker-content-digest'), digestOf(text));
      const { manifests } = JSON.parse(text) as { readonly manifests: readonly { readonly digest: string }[] };
      return { text, digests: manifests.map(({ digest }) => digest).sort() };
    };
    const made = await read();
    assert.deepEqual(made.digests, [one.digest]);
    const pushed = made.text.trimEnd();
    assert.equal((await registry.send('PUT', path, { 'content-type': OCI_INDEX }, pushed)).status, 201);
    assert.equal((await read()).text, pushed, 'what was pushed, byte for byte');
    const two = await registry.image(repository, undefined, { subject, annotations: { n: '2' } });
    assert.deepEqual((await read()).digests, [one.digest, two.digest].sort());
  });

  it('lists the repositories of all buckets', async () => {
    await registry.image(repository, '1');
    await registry.image(`${repository}/nested`, '1');
    const response = await registry.send('GET', '/v2/_catalog');
    const { repositories } = (await response.json()) as { readonly repositories: readonly string[] };
    assert.ok(repositories.includes(repository) && repositories.includes(`${repository}/nested`));
    const found: string[] = [];
    for (let path: string | undefined = '/v2/_catalog?n=2'; path !== undefined;) {
      const page = await registry.send('GET', path);
      found.push(...((await page.json()) as { readonly repositories: readonly string[] }).repositories);
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(found, repositories);
  });

  it('mounts from another repository and, without being told where, from what may be read', async () => {
    const digest = await registry.blob(repository, 'to mount');
    const mount = (query: string) =>
      registry.send('POST', `/v2/${repository}-b/blobs/uploads/?mount=${digest}${query}`, { 'content-length': '0' });
    const elsewhere = await mount(`&from=${BUCKET}/none`);
    assert.equal(elsewhere.status, 202, 'an upload, where there is nothing to mount');
    const mounted = await mount(`&from=${repository}`);
    assert.deepEqual([mounted.status, mounted.headers.get('location')], [201, `/v2/${repository}-b/blobs/${digest}`]);
    await registry.send('DELETE', `/v2/${repository}-b/blobs/${digest}`);
    assert.equal((await mount('')).status, 201);
    assert.equal(await (await registry.send('GET', `/v2/${repository}-b/blobs/${digest}`)).text(), 'to mount');
  });

  it('deletes at once, and not what a manifest names', async () => {
    const { digest } = await registry.image(repository, '1');
    const blob = `/v2/${repository}/blobs/${digestOf('layer')}`;
    assert.deepEqual(await refusal(await registry.send('DELETE', blob)), [409, 'DENIED']);
    assert.equal((await registry.send('DELETE', `/v2/${repository}/manifests/1`)).status, 202);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${repository}/manifests/1`)), [404, 'MANIFEST_UNKNOWN']);
    assert.equal((await registry.send('DELETE', `/v2/${repository}/manifests/${digest}`)).status, 202);
    assert.deepEqual(await refusal(await registry.send('DELETE', `/v2/${repository}/manifests/${digest}`)), [404, 'MANIFEST_UNKNOWN']);
    assert.equal((await registry.send('DELETE', blob)).status, 202);
    assert.deepEqual(await refusal(await registry.send('GET', blob)), [404, 'BLOB_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('DELETE', blob)), [404, 'BLOB_UNKNOWN']);
  });

  it('refuses what the spec has no way for', async () => {
    assert.deepEqual(await refusal(await registry.send('GET', '/v2/none/there/tags/list')), [404, 'NAME_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${BUCKET}/tags/list`)), [404, 'NAME_UNKNOWN']);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${BUCKET}/UPPER/tags/list`)), [400, 'NAME_INVALID']);
    const wrong = await registry.send('POST', `/v2/${repository}/tags/list`);
    assert.deepEqual([wrong.headers.get('allow'), ...(await refusal(wrong))], ['GET', 405, 'UNSUPPORTED']);
    assert.deepEqual(await refusal(await registry.send('GET', `/v2/${repository}/other`)), [404, 'UNSUPPORTED']);
  });
});
