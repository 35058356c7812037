/** A containerd of one test file's own, for `ctr` to speak to. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Command } from '../shell.ts';
import { startDaemon, SYSTEM_PATH, type Daemon } from './daemon.ts';
import { program } from './programs.ts';

export interface Containerd extends Daemon {
  /** A command of `ctr` that speaks to it. */
  command(...args: string[]): Command;
  ctr(...args: string[]): Promise<string>;
}

/** `folder` is to hold all that it has, and is not removed. */
export async function startContainerd(folder: string): Promise<Containerd> {
  const address = join(folder, 'containerd.sock');
  const config = join(folder, 'containerd.toml');
  await writeFile(config, configuration(folder, address));
  const command = (...args: string[]): Command => [program('ctr'), '--address', address, ...args];
  const daemon = await startDaemon([program('containerd'), '--config', config, '--log-level', 'error'], command('version'), folder);
  return { ...daemon, command, ctr: (...args) => run(command(...args), { env: { PATH: SYSTEM_PATH } }) };
}

function configuration(folder: string, address: string): string {
  return `version = 2
root = ${JSON.stringify(join(folder, 'root'))}
state = ${JSON.stringify(join(folder, 'state'))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${JSON.stringify(address)}
`;
}
