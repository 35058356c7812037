import assert from 'node:assert/strict';
import { acceptsTarget, OPERATIONS } from '../../../src/protocols/uploads/protocol.ts';
import { head } from '../s3/fakes.ts';

describe('uploads: the table', () => {
  it('has names of its own, and demands the name in every row but OPTIONS', () => {
    const names = OPERATIONS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const operation of OPERATIONS) {
      const { name, authenticates } = operation;
      assert.match(name, /^uploads\.[A-Z][A-Za-z]+$/);
      const wanted = operation.demands(head('POST', '/uploads/b/k'), { bucket: 'b', key: 'k' });
      if (name === 'uploads.Options') assert.equal(authenticates, 'public');
      else
        assert.deepEqual(
          [authenticates, ...wanted.map(({ action, resource }) => [action, resource])],
          ['request', ['create', { bucket: 'b', name: 'k' }]],
        );
    }
  });

  it('takes just those requests from S3 that say Upload-Complete, or ask what may be said', () => {
    const takes = (method: string, target: string, headers: Record<string, string> = {}): boolean =>
      acceptsTarget(head(method, target, { headers }));
    assert.ok(takes('PUT', '/b/k', { 'upload-complete': '?0' }));
    assert.ok(takes('POST', '/b/k/l', { 'upload-complete': '?1' }));
    assert.ok(takes('OPTIONS', '/b/k'));
    for (const [method, target, headers] of [
      ['PUT', '/b/k', {}],
      ['PUT', '/b/k', { 'upload-complete': '1' }],
      ['PUT', '/b', { 'upload-complete': '?1' }],
      ['PUT', '/b/', { 'upload-complete': '?1' }],
      ['GET', '/b/k', { 'upload-complete': '?1' }],
      ['OPTIONS', '/b/k', { origin: 'https://a', 'access-control-request-method': 'PUT' }],
    ] as const) {
      assert.ok(!takes(method, target, headers), `${method} ${target}`);
    }
  });
});
