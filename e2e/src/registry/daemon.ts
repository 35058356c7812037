/** Daemons of container tools, started as root with a folder of one test file's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, type Command } from '../shell.ts';

export interface Daemon {
  stop(): Promise<void>;
}

/** Debian keeps runc beside what only root calls. */
export const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const READY_WITHIN_MS = 20_000;

/** Starts a daemon and waits until `ask`, a command that asks it something, succeeds. Its log is `daemon.log` in the folder. */
export async function startDaemon(daemon: Command, ask: Command, folder: string): Promise<Daemon> {
  const log = join(folder, 'daemon.log');
  const [program, ...args] = daemon;
  const written = openSync(log, 'a');
  const child = spawn(program, args, { env: { PATH: SYSTEM_PATH, HOME: folder }, stdio: ['ignore', written, written] });
  closeSync(written);
  const killed = () => child.kill('SIGKILL');
  process.on('exit', killed);
  const stop = async () => {
    process.off('exit', killed);
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
  };
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until && child.exitCode === null; await sleep(100)) {
    const { code } = await attempt(ask, { env: { PATH: SYSTEM_PATH, HOME: folder } });
    if (code === 0) return { stop };
  }
  await stop();
  throw new Error(`${program} did not become ready; it must be started as root. It said:\n${(await readFile(log, 'utf8')).slice(-2000)}`);
}
