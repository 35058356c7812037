import assert from 'node:assert/strict';
import { ArtefactError } from '../../../src/errors.ts';
import { readJson } from '../../../src/protocols/admin/json.ts';

describe('JSON bodies', () => {
  it('that are broken leave nothing of themselves in the error, which is logged', async () => {
    const secret = 'oops-a-secret';
    const bytes = (async function* () {
      yield Buffer.from(secret);
    })();
    const head = { headers: { 'content-type': 'application/json' } };
    const call = { head, payload: { bytes, trailers: new Map() } } as unknown as Parameters<typeof readJson>[0];
    await assert.rejects(readJson(call, {}), (error: unknown) => {
      assert.ok(error instanceof ArtefactError && error.code === 'MalformedBody');
      assert.ok(!`${error.message} ${String(error.cause)}`.includes(secret.slice(0, 6)));
      return true;
    });
  });
});
