import assert from 'node:assert/strict';
import { createStage } from './stage.ts';

const digest = `sha256:${'ab'.repeat(32)}` as const;
const path = `/api/v1/digests/${digest}/keep`;
const names = [
  { bucket: 'builds', key: 'a', versionId: 'null' },
  { bucket: 'secret', key: 'b', versionId: 'null' },
];

describe('why a digest is kept, in the JSON API', () => {
  it('tells who runs the store everything', async () => {
    const stage = createStage();
    stage.keep = { digest, size: 4, stored: true, names };
    assert.deepEqual((await stage.send('GET', path)).json, stage.keep);
    stage.keep = {
      digest,
      size: 4,
      stored: true,
      names: [],
      condemned: { since: '2026-11-24T09:00:00Z', collectableAfter: '2026-11-25T09:00:00Z' },
    };
    assert.deepEqual((await stage.send('GET', path)).json, stage.keep);
  });

  it('tells others of the names that they may list, and nothing else', async () => {
    const stage = createStage();
    stage.keep = {
      digest,
      size: 4,
      stored: true,
      names,
      condemned: { since: '2026-11-24T09:00:00Z', collectableAfter: '2026-11-25T09:00:00Z' },
    };
    stage.may = ({ action, resource }) => action === 'list' && resource.bucket !== 'secret';
    assert.deepEqual((await stage.send('GET', path)).json, { digest, size: 4, stored: true, names: names.slice(0, 1) });
  });

  it('answers alike for a digest that is not here and for one that the caller may not see', async () => {
    const stage = createStage();
    stage.may = ({ resource }) => resource.bucket === undefined && resource.name === undefined;
    const absent = await stage.send('GET', path);
    stage.may = ({ action, resource }) => action === 'list' && resource.bucket === undefined;
    stage.keep = { digest, size: 4, stored: true, names };
    const unseen = await stage.send('GET', path);
    assert.deepEqual([unseen.status, unseen.json], [404, absent.json]);
  });

  it('runs a round of collection for who runs the store only', async () => {
    const stage = createStage();
    assert.deepEqual((await stage.send('POST', '/api/v1/collection')).json, { digests: 1, blobs: 1, uploads: 0, bytes: 4 });
    stage.may = ({ action }) => action !== 'administer';
    assert.equal((await stage.send('POST', '/api/v1/collection')).status, 403);
  });
});
