import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ArtefactError } from '../../../src/errors.ts';
import { OCI_ERRORS } from '../../../src/protocols/oci/errorCodes.ts';
import { readPath } from '../../../src/protocols/oci/path.ts';
import { createOciProtocol, ociTable } from '../../../src/protocols/oci/protocol.ts';
import { readRepository } from '../../../src/protocols/oci/names.ts';
import { head } from '../s3/fakes.ts';

const DEPS = { visibleBuckets: () => [] };
const OPERATIONS = [...new Set(Object.values(ociTable(DEPS)).flatMap((methods) => Object.values(methods)))];
const FILTERED = ['oci.Base', 'oci.ListRepositories'];

describe('oci: the table', () => {
  it('has names of its own, and demands the repository in every row but those whose answer is filtered', () => {
    const names = OPERATIONS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.equal(names.length, 14);
    for (const operation of OPERATIONS) {
      const { name, authenticates } = operation;
      assert.equal(authenticates, 'request');
      const wanted = operation.demands(head('GET', '/v2/'), { bucket: 'b', repository: 'r/s' });
      if (FILTERED.includes(name)) assert.deepEqual(wanted, []);
      else
        assert.deepEqual(
          wanted.map(({ resource }) => resource),
          [{ bucket: 'b', name: 'r/s' }],
          name,
        );
    }
  });

  it('tells what is asked for by the end of a path, whatever the repository is called', () => {
    const at = { bucket: 'b', repository: 'tags/list/blobs/uploads/manifests' };
    const name = `/v2/b/${at.repository}`;
    assert.deepEqual(readPath(`${name}/tags/list`), { kind: 'tags', ...at });
    assert.deepEqual(readPath(`${name}/blobs/uploads/`), { kind: 'uploads', ...at });
    assert.deepEqual(readPath(`${name}/blobs/uploads`), { kind: 'uploads', ...at });
    assert.deepEqual(readPath(`${name}/blobs/uploads/ID`), { kind: 'upload', ...at, uploadId: 'ID' });
    assert.deepEqual(readPath(`${name}/blobs/sha256%3Aaa`), { kind: 'blob', ...at, digest: 'sha256:aa' });
    assert.deepEqual(readPath(`${name}/manifests/latest`), { kind: 'manifest', ...at, reference: 'latest' });
    assert.deepEqual(readPath(`${name}/referrers/sha256:aa`), { kind: 'referrers', ...at, digest: 'sha256:aa' });
  });

  it('refuses names that are none, in any spelling', () => {
    const bad = [
      '..',
      'a/..',
      '../a',
      'a//b',
      'A',
      'ä',
      'a b',
      '-a',
      'a-',
      'a_',
      'a..b',
      'a___b',
      '.a',
      'a:b',
      'a@b',
      'a\u0000',
      `a/${'x'.repeat(260)}`,
    ];
    for (const name of bad) {
      for (const path of [`/v2/b/${name}/tags/list`, `/v2/b/${encodeURIComponent(name)}/tags/list`, `/v2/${name}/b/tags/list`]) {
        assert.throws(
          () => readPath(path),
          (error) => error instanceof ArtefactError && ['InvalidArgument', 'MalformedUri', 'RouteUnknown'].includes(error.code),
          path,
        );
      }
    }
    for (const name of ['a', 'a.b', 'a_b', 'a__b', 'a--b', '0/1'])
      assert.deepEqual(readRepository(`b/${name}`), { bucket: 'b', repository: name });
  });

  it('answers any path at all with a place or a refusal of ours, and never a place with a strange name', () => {
    const piece = fc.oneof(
      fc.constantFrom('tags', 'list', 'manifests', 'blobs', 'uploads', 'referrers', '..', '', '%2e%2e', '%00', '%', 'é'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          const place = readPath(`/v2/${pieces.join('/')}`);
          if ('repository' in place) assert.match(`${place.bucket}/${place.repository}`, /^[a-z0-9._-]+(\/[a-z0-9._-]+)+$/);
        } catch (error) {
          assert.ok(error instanceof ArtefactError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('renders every error in the form of the spec', () => {
    const protocol = createOciProtocol(DEPS);
    for (const [code, { status, code: ours }] of Object.entries(OCI_ERRORS)) {
      const error = new ArtefactError(code as keyof typeof OCI_ERRORS, 'Said.', { details: { key: 'x' } });
      const reply = protocol.renderError(error, {
        head: head('GET', '/v2/b/r/tags/list', { headers: { authorization: 'Bearer x' } }),
        operation: 'oci.ListTags',
      });
      assert.equal(reply.status, status, code);
      if (status === 304) continue;
      assert.deepEqual(JSON.parse(reply.body as string), { errors: [{ code: ours, message: 'Said.', detail: { key: 'x' } }] });
    }
  });

  it('asks whoever shows no credentials for the token that the request needs', () => {
    const protocol = createOciProtocol(DEPS);
    const challenge = (method: string, target: string): string => {
      const reply = protocol.renderError(new ArtefactError('AccessDenied', 'Access Denied'), { head: head(method, target) });
      assert.equal(reply.status, 401);
      return String(reply.headers?.['www-authenticate']);
    };
    assert.match(
      challenge('GET', '/v2/b/r/manifests/1'),
      /^Bearer realm="http:\/\/[^"]+\/auth\/token",service="[^"]+",scope="repository:b\/r:pull"$/,
    );
    assert.match(challenge('PUT', '/v2/b/r/manifests/1'), /scope="repository:b\/r:pull,push"$/);
    assert.match(challenge('POST', '/v2/b/r/blobs/uploads/'), /scope="repository:b\/r:pull,push"$/);
    for (const method of ['GET', 'DELETE'])
      assert.match(challenge(method, '/v2/b/r/blobs/uploads/x'), /scope="repository:b\/r:pull,push"$/);
    assert.match(challenge('DELETE', '/v2/b/r/manifests/1'), /scope="repository:b\/r:delete"$/);
    assert.match(challenge('GET', '/v2/_catalog'), /scope="registry:catalog:\*"$/);
  });
});
