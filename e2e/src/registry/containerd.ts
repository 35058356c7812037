/** A containerd of one test file's own, started as root with folders of its own, for `ctr` to speak to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, run, type Command } from '../shell.ts';
import { program } from './programs.ts';

export interface Containerd {
  /** A command of `ctr` that speaks to it. */
  command(...args: string[]): Command;
  ctr(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** `folder` is to hold all that it has, and is not removed. */
export async function startContainerd(folder: string): Promise<Containerd> {
  const address = join(folder, 'containerd.sock');
  const config = join(folder, 'containerd.toml');
  await writeFile(config, configuration(folder, address));
  const child = spawn(program('containerd'), ['--config', config, '--log-level', 'error'], { env: ENV, stdio: 'ignore' });
  const killed = () => child.kill('SIGKILL');
  process.on('exit', killed);
  const command = (...args: string[]): Command => [program('ctr'), '--address', address, ...args];
  const stop = async () => {
    process.off('exit', killed);
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
  };
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`containerd ended with ${child.exitCode}; it must be started as root.`);
    const { code } = await attempt(command('version'), { env: ENV });
    if (code === 0) return { command, ctr: (...args) => run(command(...args), { env: ENV }), stop };
  }
  await stop();
  throw new Error(`containerd did not answer within ${READY_WITHIN_MS} ms.`);
}

function configuration(folder: string, address: string): string {
  const text = JSON.stringify;
  return [
    'version = 2',
    `root = ${text(join(folder, 'root'))}`,
    `state = ${text(join(folder, 'state'))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = ${text(address)}`,
    '',
  ].join('\n');
}
