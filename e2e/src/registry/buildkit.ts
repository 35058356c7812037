/** A BuildKit of one test file's own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Command } from '../shell.ts';
import { startDaemon, SYSTEM_PATH, type Daemon } from './daemon.ts';
import { program } from './programs.ts';

export interface BuildKit extends Daemon {
  /** A build of the Dockerfile in `context`. */
  command(context: string, ...more: string[]): Command;
  /** Forgets everything that was built. */
  prune(): Promise<void>;
}

/** `folder` is to hold all that it has, and is not removed. `host`: of a registry that speaks plain HTTP. */
export async function startBuildKit(folder: string, host: string): Promise<BuildKit> {
  const address = `unix://${join(folder, 'buildkit.sock')}`;
  const config = join(folder, 'buildkit.toml');
  await writeFile(config, configuration(folder, host));
  const buildctl = (...args: string[]): Command => [program('buildctl'), '--addr', address, ...args];
  const daemon: Command = [program('buildkitd'), '--addr', address, '--config', config];
  return {
    ...(await startDaemon(daemon, buildctl('debug', 'workers'), folder)),
    command: (context, ...more) =>
      buildctl(
        'build',
        '--progress',
        'plain',
        '--frontend',
        'dockerfile.v0',
        '--local',
        `context=${context}`,
        '--local',
        `dockerfile=${context}`,
        ...more,
      ),
    prune: async () => void (await run(buildctl('prune', '--all'), { env: { PATH: SYSTEM_PATH } })),
  };
}

/** A plain copy for each layer needs no kernel feature. */
function configuration(folder: string, host: string): string {
  return `root = ${JSON.stringify(join(folder, 'root'))}
[worker.oci]
enabled = true
snapshotter = "native"
[worker.containerd]
enabled = false
[registry.${JSON.stringify(host)}]
http = true
`;
}
