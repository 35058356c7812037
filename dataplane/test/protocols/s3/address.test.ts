import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../../src/errors.ts';
import { addressOf, decodePath } from '../../../src/protocols/s3/address.ts';

const at = (rawPath: string, host = 'localhost:8080', domains: readonly string[] = []) => addressOf({ rawPath, host }, domains);
const refuses = (code: string, rawPath: string, host?: string, domains?: readonly string[]) =>
  assert.throws(() => at(rawPath, host, domains), { code }, rawPath);

describe('S3 addresses', () => {
  it('are the service, a bucket, or a key in a bucket', () => {
    assert.deepEqual(at('/'), {});
    assert.deepEqual(at('/builds'), { bucket: 'builds' });
    assert.deepEqual(at('/builds/'), { bucket: 'builds' });
    assert.deepEqual(at('/builds/a/b.txt'), { bucket: 'builds', key: 'a/b.txt' });
  });

  it('leave keys as they are: dots, slashes and plus signs are bytes like others', () => {
    for (const key of ['../x', './x', 'a/../b', '/a', 'a//b', 'a/', '//', 'a+b', '~', 'a;b=c', '.', '..']) {
      assert.deepEqual(at(`/builds/${key}`), { bucket: 'builds', key });
    }
  });

  it('decode escapes once, as UTF-8', () => {
    assert.equal(at('/builds/%C3%BC%20%2F%2525+').key, 'ü /%25+');
    assert.equal(at('/builds/\u00c3\u00bc').key, 'ü', 'raw bytes, as Node hands them over');
    assert.equal(at('/builds/%EF%BB%BFx').key, '\ufeffx', 'a byte order mark is part of the name');
    assert.equal(at('/%62uilds/x').bucket, 'builds');
  });

  it('refuse bad escapes, what is not UTF-8, and U+0000', () => {
    for (const path of [
      '/builds/%',
      '/builds/%4',
      '/builds/%zz',
      '/builds/%C3',
      '/builds/%ff',
      '/builds/a%00b',
      '/builds/%ED%A0%80',
      'builds',
      '*',
      '',
    ]) {
      refuses('MalformedUri', path);
    }
  });

  it('refuse names that no bucket can have', () => {
    for (const path of ['/Builds', '/a', '/ab/x', '/-ab', '/abc-', '/a_b', '//x', `/${'a'.repeat(64)}`, '/%C3%BCbc', '/a%2Fb/c'])
      refuses('InvalidBucketName', path);
    assert.equal(at(`/${'a'.repeat(63)}`).bucket, 'a'.repeat(63));
  });

  it('allow keys of 1024 bytes, counted in UTF-8', () => {
    assert.ok(at(`/builds/${'x'.repeat(1024)}`).key);
    assert.ok(at(`/builds/${'%C3%BC'.repeat(512)}`).key);
    refuses('NameTooLong', `/builds/${'x'.repeat(1025)}`);
    refuses('NameTooLong', `/builds/${'%C3%BC'.repeat(513)}`);
  });

  it('take the bucket from the host under a configured domain', () => {
    const domains = ['s3.example.com', 'example.com'];
    assert.deepEqual(at('/a/b', 'builds.s3.example.com:8080', domains), { bucket: 'builds', key: 'a/b' });
    assert.deepEqual(at('/', 'Builds.S3.Example.com', domains), { bucket: 'builds' });
    assert.deepEqual(at('//a', 'my.builds.s3.example.com.', domains), { bucket: 'my.builds', key: '/a' });
    assert.deepEqual(at('/builds/a', 's3.example.com', domains), { bucket: 'builds', key: 'a' });
    assert.deepEqual(at('/builds/a', 'builds.s3.example.org', domains), { bucket: 'builds', key: 'a' });
    assert.deepEqual(at('/builds/a', '[::1]:8080', domains), { bucket: 'builds', key: 'a' });
    refuses('InvalidBucketName', '/', 'a_b.s3.example.com', domains);
  });

  it('come back from any key', () => {
    const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter((text) => text.isWellFormed() && !text.includes('\0'));
    fc.assert(fc.property(key, (name) => assert.equal(at(`/builds/${encodeURIComponent(name)}`).key, name)));
    fc.assert(fc.property(key, (name) => assert.equal(decodePath(Buffer.from(name).toString('latin1').replaceAll('%', '%25')), name)));
  });

  it('answer any path with an address or a refusal', () => {
    const known = ['MalformedUri', 'InvalidBucketName', 'NameTooLong'] as const;
    const path = fc.array(fc.oneof(fc.constantFrom('/', '%', '%2', '%41', '%00', '..', 'abc', '\u00ff'), fc.string({ maxLength: 3 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(path, fc.string(), (parts, host) => {
        try {
          at(`/${parts.join('')}`, host, ['x.y']);
        } catch (error) {
          assert.ok(isError(error, ...known), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
