import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { BucketConfig } from '@bonded/crds';
import type { Demand } from '../../../../src/protocols/contract.ts';
import { listDemand, urlEncode } from '../../../../src/protocols/s3/listing/query.ts';
import { readToken, writeToken } from '../../../../src/protocols/s3/listing/token.ts';
import { parseXml } from '../../../../src/protocols/s3/xml.ts';
import { ACTOR, testCore } from '../../../core/core.fixture.ts';
import { bucket, head, perform, REGION, snapshot, textOf } from '../fakes.ts';

const builds = bucket('builds');
const versioned = bucket('versioned', { versioning: 'Enabled' });

async function stored(where: BucketConfig, ...keys: readonly string[]) {
  const store = testCore();
  const { core } = store;
  for (const key of keys) await store.put(where, key, `content of ${key}`);
  const list = (query: string) => perform({ snapshot: snapshot(where), core }, 'GET', `/${where.name}${query}`);
  const remove = (key: string) => core.objects.delete(where, key, undefined, {}, ACTOR);
  return { list, put: (key: string) => store.put(where, key, 'again'), remove };
}

const texts = (body: string, element: string, inner: string) =>
  parseXml(Buffer.from(body), ['ListBucketResult', 'ListVersionsResult'])
    .all(element)
    .map((entry) => entry.required(inner).text);
const keysOf = (body: string) => texts(body, 'Contents', 'Key');
const prefixesOf = (body: string) => texts(body, 'CommonPrefixes', 'Prefix');

describe('ListObjects and ListObjectsV2', () => {
  it('describe each object as S3 does', async () => {
    const { list } = await stored(builds, 'a');
    const { status, headers, body } = await list('?list-type=2&fetch-owner=true');
    assert.deepEqual([status, headers['x-amz-bucket-region'], headers['content-type']], [200, REGION, 'application/xml']);
    const entry = parseXml(Buffer.from(body), ['ListBucketResult']).required('Contents');
    assert.deepEqual(
      entry.children.map(({ name }) => name).filter((name) => !name.startsWith('Checksum')),
      ['Key', 'LastModified', 'ETag', 'Size', 'Owner', 'StorageClass'],
    );
    assert.match(entry.required('LastModified').text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    assert.match(entry.required('ETag').text, /^"[0-9a-f]{32}"$/);
    assert.deepEqual([entry.required('Size').text, entry.required('StorageClass').text], ['12', 'STANDARD']);
    assert.equal(entry.required('Owner').required('DisplayName').text, 'team-a');
  });

  it('leave owners out unless asked for in the second version, and give them in the first', async () => {
    const { list } = await stored(builds, 'a');
    assert.equal(textOf((await list('?list-type=2')).body, 'DisplayName'), undefined);
    assert.equal(textOf((await list('?list-type=2&fetch-owner=false')).body, 'DisplayName'), undefined);
    assert.equal(textOf((await list('')).body, 'DisplayName'), 'team-a');
  });

  it('collapse what lies behind the delimiter', async () => {
    const { list } = await stored(builds, 'a/1', 'a/2', 'b', 'c/1', 'd');
    const { body } = await list('?list-type=2&delimiter=/');
    assert.deepEqual(
      [keysOf(body), prefixesOf(body)],
      [
        ['b', 'd'],
        ['a/', 'c/'],
      ],
    );
    assert.deepEqual([textOf(body, 'KeyCount'), textOf(body, 'Delimiter'), textOf(body, 'IsTruncated')], ['4', '/', 'false']);
    const within = (await list('?delimiter=/&prefix=a/')).body;
    assert.deepEqual([keysOf(within), prefixesOf(within), textOf(within, 'Prefix')], [['a/1', 'a/2'], [], 'a/']);
    assert.equal(textOf((await list('?delimiter=')).body, 'Delimiter'), undefined, 'an empty delimiter is none');
  });

  it('go on by token in the second version, from anywhere by start-after', async () => {
    const { list } = await stored(builds, 'a/1', 'a/2', 'b', 'c/1', 'd');
    const pages: string[][] = [];
    for (let token = ''; ;) {
      const { body } = await list(`?list-type=2&delimiter=/&max-keys=1${token}`);
      pages.push([...keysOf(body), ...prefixesOf(body)]);
      const next = textOf(body, 'NextContinuationToken');
      assert.equal(textOf(body, 'IsTruncated'), String(next !== undefined));
      if (next === undefined) break;
      token = `&continuation-token=${encodeURIComponent(next)}`;
    }
    assert.deepEqual(pages, [['a/'], ['b'], ['c/'], ['d']]);
    const { body } = await list('?list-type=2&start-after=a/1');
    assert.deepEqual([keysOf(body), textOf(body, 'StartAfter')], [['a/2', 'b', 'c/1', 'd'], 'a/1']);
    assert.deepEqual(keysOf((await list(`?list-type=2&start-after=a&continuation-token=${writeToken('b')}`)).body), ['c/1', 'd']);
  });

  it('go on by marker in the first version, and name it only with a delimiter', async () => {
    const { list } = await stored(builds, 'a/1', 'a/2', 'b', 'd');
    const first = (await list('?delimiter=/&max-keys=1')).body;
    assert.deepEqual([prefixesOf(first), textOf(first, 'NextMarker'), textOf(first, 'IsTruncated')], [['a/'], 'a/', 'true']);
    const next = (await list('?delimiter=/&marker=a/')).body;
    assert.deepEqual([keysOf(next), textOf(next, 'Marker')], [['b', 'd'], 'a/']);
    const plain = (await list('?max-keys=1')).body;
    assert.deepEqual([keysOf(plain), textOf(plain, 'NextMarker'), textOf(plain, 'IsTruncated')], [['a/1'], undefined, 'true']);
  });

  it('take 0 to 1000 keys at a time, and clip what is more', async () => {
    const { list } = await stored(builds, 'a', 'b');
    const none = (await list('?list-type=2&max-keys=0')).body;
    assert.deepEqual([keysOf(none), textOf(none, 'IsTruncated'), textOf(none, 'MaxKeys')], [[], 'false', '0']);
    assert.equal(textOf((await list('?max-keys=5000')).body, 'MaxKeys'), '1000');
    assert.equal(textOf((await list('?max-keys=')).body, 'MaxKeys'), '1000');
  });

  it('encode names on demand, for keys that XML cannot hold', async () => {
    const key = 'ü b+c&d\u0001(*)~/e';
    const { list } = await stored(builds, key);
    assert.deepEqual(keysOf((await list('')).body), [key]);
    const { body } = await list(`?list-type=2&encoding-type=url&delimiter=%01&prefix=%C3%BC&start-after=%C3%BC`);
    assert.deepEqual(prefixesOf(body), ['%C3%BC%20b%2Bc%26d%01']);
    assert.deepEqual(
      ['EncodingType', 'Prefix', 'Delimiter', 'StartAfter'].map((name) => textOf(body, name)),
      ['url', '%C3%BC', '%01', '%C3%BC'],
    );
    assert.equal(keysOf((await list('?encoding-type=url')).body)[0], '%C3%BC%20b%2Bc%26d%01%28%2A%29~/e');
  });

  it('refuse what no listing can mean', async () => {
    const { list } = await stored(builds);
    const refused = [
      '?max-keys=-1',
      '?max-keys=x',
      '?max-keys=1.5',
      '?max-keys=99999999999',
      '?encoding-type=base64',
      '?list-type=1',
      '?list-type=',
      '?list-type=2&continuation-token=',
      '?list-type=2&continuation-token=AAAA',
      '?list-type=2&continuation-token=%00',
      `?prefix=${'x'.repeat(1025)}`,
      '?marker=a%00',
    ];
    for (const query of refused) {
      const { status, body } = await list(query);
      assert.deepEqual([status, textOf(body, 'Code')], [400, 'InvalidArgument'], query);
      assert.notEqual(textOf(body, 'ArgumentName'), undefined);
    }
  });

  it('say NoSuchBucket only after authorisation', async () => {
    assert.equal((await perform({}, 'GET', '/builds')).failed, 'BucketUnknown');
    assert.equal((await perform({ may: () => false }, 'GET', '/builds')).failed, 'AccessDenied');
  });
});

describe('ListObjectVersions', () => {
  it('mixes versions and delete markers in order, newest first', async () => {
    const { list, put, remove } = await stored(versioned, 'a', 'b');
    await put('a');
    await remove('a');
    const { status, body } = await list('?versions');
    assert.equal(status, 200);
    const entries = parseXml(Buffer.from(body), ['ListVersionsResult']).children.filter(({ name }) =>
      ['Version', 'DeleteMarker'].includes(name),
    );
    assert.deepEqual(
      entries.map((entry) => [entry.name, entry.required('Key').text, entry.required('IsLatest').text]),
      [
        ['DeleteMarker', 'a', 'true'],
        ['Version', 'a', 'false'],
        ['Version', 'a', 'false'],
        ['Version', 'b', 'true'],
      ],
    );
    assert.equal(entries[0]!.child('ETag'), undefined);
    assert.match(entries[1]!.required('ETag').text, /^"[0-9a-f]{32}"$/);
    assert.equal(new Set(entries.map((entry) => entry.required('VersionId').text)).size, 4);
  });

  it('gives pages within a key and across keys', async () => {
    const { list, put } = await stored(versioned, 'a', 'b', 'c/1', 'c/2');
    await put('a');
    await put('a');
    const seen: string[] = [];
    let pages = 0;
    for (let marker = ''; ; pages++) {
      const { body } = await list(`?versions&max-keys=2&delimiter=/${marker}`);
      seen.push(...texts(body, 'Version', 'VersionId'), ...prefixesOf(body));
      if (textOf(body, 'IsTruncated') === 'false') break;
      const versionId = textOf(body, 'NextVersionIdMarker');
      marker = `&key-marker=${textOf(body, 'NextKeyMarker')}${versionId === undefined ? '' : `&version-id-marker=${versionId}`}`;
      assert.ok(pages < 10);
    }
    assert.deepEqual([seen.length, new Set(seen).size, seen.at(-1)], [5, 5, 'c/']);
  });

  it('refuses a version without its key, and what is no version', async () => {
    const { list } = await stored(versioned, 'a');
    for (const query of ['?versions&version-id-marker=x', '?versions&key-marker=a&version-id-marker=a/b', '?versions&max-keys=x']) {
      assert.equal((await list(query)).failed, 'InvalidArgument', query);
    }
    assert.deepEqual(texts((await list('?versions&version-id-marker=')).body, 'Version', 'Key'), ['a']);
  });
});

describe('The demand of a listing', () => {
  const demand = (query: string): Demand => listDemand(head('GET', `/builds${query}`), { bucket: 'builds' }, 's3:ListBucket');

  it('is on the prefix, with the keys that policies know', () => {
    assert.deepEqual(demand('').resource, { bucket: 'builds' });
    assert.deepEqual(demand('?prefix=').resource, { bucket: 'builds' });
    assert.deepEqual(demand('?prefix=releases/').resource, { bucket: 'builds', name: 'releases/' });
    assert.deepEqual(
      [...demand('?prefix=a&delimiter=/&max-keys=7').context!],
      [
        ['s3:prefix', ['a']],
        ['s3:delimiter', ['/']],
        ['s3:max-keys', ['7']],
      ],
    );
    assert.deepEqual([...demand('').context!], []);
  });
});

describe('Continuation tokens', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((text) => text.isWellFormed() && !text.includes('\0'));

  it('come back as the name they were made of', () =>
    fc.assert(fc.property(name, (after) => assert.equal(readToken(writeToken(after)), after))));

  it('are accepted only as they were written', () => {
    const anything = fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[\w-]{0,40}$/));
    fc.assert(
      fc.property(anything, (token) => {
        try {
          assert.equal(writeToken(readToken(token)!), token);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'InvalidArgument');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are URL-encoded in listings by a coding that every client undoes', () => {
    fc.assert(fc.property(name, (key) => assert.equal(decodeURIComponent(urlEncode(key)), key)));
    fc.assert(fc.property(name, (key) => assert.match(urlEncode(key), /^[A-Za-z0-9_.~%/-]*$/)));
  });
});
