import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { frugalEnvironment, startWorkersFrugally } from '../../src/main/frugal.ts';

describe('workers that take little memory', () => {
  it('have one malloc heap, unless the environment says otherwise', () => {
    assert.deepEqual(frugalEnvironment({}), { MALLOC_ARENA_MAX: '1' });
    assert.deepEqual(frugalEnvironment({ MALLOC_ARENA_MAX: '8' }), { MALLOC_ARENA_MAX: '8' });
  });

  it('have a small young space besides what the command line says', () => {
    const { settings } = cluster;
    try {
      startWorkersFrugally();
      const { execArgv = [] } = cluster.settings;
      assert.deepEqual(execArgv.slice(0, -1), process.execArgv);
      assert.match(execArgv.at(-1) ?? '', /^--max-semi-space-size=\d+$/);
    } finally {
      cluster.setupPrimary({ ...settings, execArgv: process.execArgv });
    }
  });
});
