import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, killGroup, startGroup } from '../src/group.ts';

/** A shell that starts a process and says which. */
function startPair(then: string) {
  const leader = startGroup('sh', ['-c', `sleep 600 & echo $!; ${then}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(leader, 'exit');
  const told = once(leader.stdout!, 'data').then(([line]) => Number(String(line)));
  return { leader, ended, told };
}

/** Whoever takes in orphans may be slow to bury them. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; isAlive(pid) && tries < 200; tries++) await sleep(10);
  assert.ok(!isAlive(pid), `process ${pid} lives on`);
}

/** Whom `work` sends signals to. */
async function signalled(work: () => Promise<void>): Promise<readonly number[]> {
  const kill = process.kill.bind(process);
  const pids: number[] = [];
  process.kill = (pid, signal) => {
    pids.push(pid);
    return kill(pid, signal);
  };
  try {
    await work();
    return pids;
  } finally {
    process.kill = kill;
  }
}

describe('a process group', () => {
  it('is killed with all that its leader has started', async () => {
    const { leader, told } = startPair('wait');
    const other = await told;
    await killGroup(leader);
    assert.ok(hasEnded(leader));
    await untilGone(other);
  });

  it('ends with its leader', async () => {
    const { leader, told, ended } = startPair('exit 7');
    const other = await told;
    await ended;
    assert.equal(leader.exitCode, 7);
    await untilGone(other);
  });

  it('is never signalled again once the leader has ended: its number may be another’s', async () => {
    const { leader, ended } = startPair('exit 0');
    await ended;
    assert.deepEqual(await signalled(() => killGroup(leader)), []);
  });
});
