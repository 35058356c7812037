import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Opens eight hashes at once in a process of its own, where no lanes are yet, and counts its hashing threads. */
function lanesAmong(processes: number): number {
  const lanes = new URL('../../src/core/hashing/lanes.ts', import.meta.url).href;
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { openLaneHash, shareCores } from '${lanes}';
    if (${processes} > 0) shareCores(${processes});
    const hashes = Array.from({ length: 8 }, () => openLaneHash('SHA256'));
    await Promise.all(hashes.map((hash) => hash.update(new SharedArrayBuffer(8), 8)));
    const names = readdirSync('/proc/self/task').map((task) => readFileSync('/proc/self/task/' + task + '/comm', 'utf8').trim());
    console.log(names.filter((name) => name === 'hashing').length);
    process.exit();`;
  return Number(execFileSync(process.execPath, ['--eval', script], { encoding: 'utf8', env: {} }));
}

describe('core: hashing lanes', () => {
  it('are two or more in a process alone, and as many as there are cores for one among several', () => {
    const cores = availableParallelism();
    assert.equal(lanesAmong(0), Math.min(4, Math.max(2, cores)));
    assert.equal(lanesAmong(1), Math.min(4, cores));
    assert.equal(lanesAmong(cores), 1);
    assert.equal(lanesAmong(10 * cores), 1);
  });
});
