import assert from 'node:assert/strict';
import type { Body } from '../../../src/storage/s3/body.ts';
import { S3Failure, type FailureKind } from '../../../src/storage/s3/failure.ts';
import type { Objects } from '../../../src/storage/s3/objects.ts';
import { openBudget } from '../../../src/storage/s3/patience.ts';
import type { RecordObjects } from '../../../src/storage/s3/recordObjects.ts';
import { replace } from '../../../src/storage/s3/replace.ts';
import { failsWith } from '../conformance/bodies.ts';

const expected = { nonce: 'before', past: [], etag: 'etag of before' };

/** A store in which every write fails so, and in which this stands meanwhile. */
function failing(kind: FailureKind, standing: Omit<Body, 'key' | 'value'> | undefined) {
  const calls = { puts: 0 };
  const put = (): Promise<never> => {
    calls.puts += 1;
    return Promise.reject(new S3Failure(kind, kind, 500));
  };
  const body = standing && ({ key: 'k', value: 'theirs', ...standing } as Body);
  const read = async () => body && { body, etag: `etag of ${body.nonce}` };
  const room = {
    location: 'here',
    budget: openBudget(),
    deadlineMs: 300,
    objects: { put } as unknown as Objects,
    records: { read, note() {} } as unknown as RecordObjects,
  };
  return { room, calls };
}

const crowd = { nonce: 'z', past: ['y', 'x'], cut: true as const };

describe('replacing a record whose write goes wrong', () => {
  it('says that it does not know, when the answer was lost and nobody remembers so far back', async () => {
    for (const kind of ['unknown', 'slow'] as const) {
      const { room, calls } = failing(kind, crowd);
      await assert.rejects(replace(room, { key: 'k', content: { value: 1 }, expected }), (thrown: Error) => {
        assert.match(thrown.message, /may or may not have been made/);
        return failsWith('Unavailable')(thrown);
      });
      assert.equal(calls.puts, 1);
    }
  });

  it('is lost when the server says so, however many have written', async () => {
    for (const kind of ['refused', 'missing', 'busy'] as const) {
      const { room } = failing(kind, crowd);
      assert.ok('lost' in (await replace(room, { key: 'k', content: { value: 1 }, expected })));
    }
  });

  it('does not believe a server for ever that refuses what holds', async () => {
    const { room, calls } = failing('refused', { nonce: 'before', past: [] });
    await assert.rejects(replace(room, { key: 'k', content: { value: 1 }, expected }), /refuses conditional writes whose condition holds/);
    assert.ok(calls.puts > 1 && calls.puts < 20);
  });

  it('is repeated in vain until the deadline, then told', async () => {
    const { room, calls } = failing('unknown', undefined);
    await assert.rejects(replace(room, { key: 'k', content: { value: 1 }, expected: undefined }), failsWith('Unavailable'));
    assert.ok(calls.puts > 1);
  });
});
