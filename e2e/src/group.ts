/** Programs that run as process groups of their own, so that whatever they start ends with them. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

const running = new Set<ChildProcess>();

// Whatever way the tests end, no group outlives them.
process.on('exit', () => running.forEach(signal));

/**
 * Starts a program as the leader of a group. What it leaves behind is killed the moment it ends, and that is the last signal to the
 * group: once nobody is in it, the system gives its number to others.
 */
export function startGroup(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const leader = spawn(program, args, { ...options, detached: true });
  running.add(leader);
  leader.once('exit', () => {
    signal(leader);
    running.delete(leader);
  });
  return leader;
}

/** Kills all of a group at once; resolves when the leader has ended. Does nothing where it has ended before. */
export async function killGroup(leader: ChildProcess): Promise<void> {
  if (!running.has(leader)) return;
  const ended = once(leader, 'exit');
  signal(leader);
  await ended;
}

/** True once a process is known to have ended. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function signal({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
