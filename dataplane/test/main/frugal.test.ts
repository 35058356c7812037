import assert from 'node:assert/strict';
import { frugalBeginning } from '../../src/main/frugal.ts';

describe('how a process is begun', () => {
  it('has a small young space, one malloc heap, and a place for compiled code', () => {
    assert.deepEqual(frugalBeginning({ flags: ['--cpu-prof'], env: { HOME: '/home' } }, '/data/code'), {
      flags: ['--cpu-prof', '--max-semi-space-size=4'],
      env: { HOME: '/home', MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: '/data/code' },
    });
  });

  it('leaves what the command line and the environment say themselves', () => {
    const begun = { flags: ['--max-semi-space-size=16'], env: { MALLOC_ARENA_MAX: '8', NODE_COMPILE_CACHE: '/elsewhere' } };
    assert.deepEqual(frugalBeginning(begun, '/data/code'), begun);
  });
});
