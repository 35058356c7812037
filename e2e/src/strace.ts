/** Lets system calls of a running server fail, by strace. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { family } from './processes.ts';

/** Why that cannot be done here; undefined when it can. */
export const whyNoStrace = reason();

export interface Injection {
  /** Calls succeed again from then on. */
  stop(): Promise<void>;
}

const injecting = new Set<ChildProcess>();
process.on('exit', () => injecting.forEach((child) => child.kill('SIGKILL')));

/** Every call of these names, in every process of the server and every thread, fails so until it is stopped. */
export async function failCalls(pid: number, calls: readonly string[], how: string): Promise<Injection> {
  const processes = family(pid).flatMap((one) => ['-p', String(one)]);
  const args = ['-f', '-o', '/dev/null', '-e', `trace=${calls.join()}`, '-e', `inject=${calls.join()}:${how}`, ...processes];
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  injecting.add(child);
  const ended = once(child, 'exit');
  await attached(child, family(pid).length);
  return {
    async stop() {
      child.kill('SIGINT');
      await ended;
      injecting.delete(child);
    },
  };
}

/** It says so of each process once its threads are attached; it goes on to speak of new ones. */
function attached(child: ChildProcess, processes: number): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if ((said.match(/ attached/g)?.length ?? 0) >= processes) resolve();
    });
    child.on('exit', () => reject(new Error(`strace ended: ${said}`)));
  });
}

function reason(): string | undefined {
  const { status, stderr, error } = spawnSync('strace', ['-qq', '-e', 'inject=getppid:error=EIO', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1));
}
