/** podman and buildah, with storage of one test file's own. They are run as root. */
import { writeFile } from 'node:fs/promises';
import type { Workspace } from '../files.ts';
import { run, type Command } from '../shell.ts';
import { SYSTEM_PATH } from './daemon.ts';
import { program } from './programs.ts';
import type { Registry } from './registry.ts';

export interface Containers {
  /** A command with the flags of its own storage; `args` begin with the name of a subcommand. */
  command(...args: string[]): Command;
  /** Runs one in the folder of the workspace, as one who logged in. */
  run(...args: string[]): Promise<string>;
  /** `known` once it logged in, or a `stranger`. */
  env(who?: 'known' | 'stranger'): Readonly<Record<string, string>>;
  /** Logs in at the registry, as the one whose passwords `env(who)` names. */
  loginCommand(registry: Registry): Command;
}

/** Keeps everything in the workspace, with a plain copy for each layer, which needs no kernel feature. */
export async function openContainers(tool: 'podman' | 'buildah', work: Workspace): Promise<Containers> {
  const path = program(tool);
  const storage = ['--root', work.at('storage'), '--runroot', work.at('run'), '--storage-driver', 'vfs'];
  const own = tool === 'podman' ? ['--tmpdir', work.at('tmp'), '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'] : [];
  // A file that is named must be there.
  await writeFile(work.at('stranger.json'), '{}');
  const env = (who: 'known' | 'stranger' = 'known') => ({
    PATH: SYSTEM_PATH,
    HOME: work.folder,
    TMPDIR: work.folder,
    REGISTRY_AUTH_FILE: work.at(`${who}.json`),
  });
  const command = (...args: string[]): Command => [path, ...storage, ...own, ...args];
  return {
    command,
    run: (...args) => run(command(...args), { env: env(), cwd: work.folder }),
    env,
    loginCommand: ({ host, user }) => command('login', '--tls-verify=false', '--username', user, '--password-stdin', host),
  };
}
