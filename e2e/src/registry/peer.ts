/** Other registries, started on a free port with a folder of their own: to compare with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../ports.ts';
import { program, type Program } from './programs.ts';

/** Distribution v3, and its second version as Debian has it. */
export const PEERS = ['distribution', 'docker-registry'] as const;
export type PeerName = (typeof PEERS)[number];

export interface Peer {
  readonly host: string;
  readonly pid: number;
  readonly user: string;
  readonly password: string;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const PROGRAMS: Readonly<Record<PeerName, Program>> = { distribution: 'registry', 'docker-registry': 'docker-registry' };
const USER = 'someone';
const PASSWORD = 'let-me-in';
/** bcrypt of the password, of the lowest cost, so that this is not what a request costs. */
const HASH = '$2b$04$Chc6.fjRm7qBWWJB8M5iBelLT7wUcNzP5LpPFqgExh0N0ZqMCi6R6';
const READY_WITHIN_MS = 30_000;

/** Peers, and their folders. */
const running = new Map<ChildProcess, string>();
process.on('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** Starts a peer that is empty. `open`: without asking for a password. */
export async function startPeer(name: PeerName, { open = false }: { readonly open?: boolean } = {}): Promise<Peer> {
  const path = program(PROGRAMS[name]);
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const [port = 0] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  await writeFile(join(folder, 'passwords'), `${USER}:${HASH}\n`);
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration(folder, host, open)));
  const env = { PATH: process.env.PATH ?? '', HOME: folder, OTEL_TRACES_EXPORTER: 'none' };
  const child = spawn(path, ['serve', join(folder, 'config.yml')], { env, stdio: 'ignore' });
  running.set(child, folder);
  // Tests that are done do not wait for it.
  child.unref();
  await untilReady(child, host);
  return {
    host,
    pid: child.pid ?? 0,
    user: USER,
    password: PASSWORD,
    async stop() {
      child.ref();
      const ended = child.exitCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await ended;
      running.delete(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** YAML takes JSON. */
function configuration(folder: string, host: string, open: boolean): object {
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'of one run' },
    ...(!open && { auth: { htpasswd: { realm: 'peer', path: join(folder, 'passwords') } } }),
  };
}

async function untilReady(child: ChildProcess, host: string): Promise<void> {
  let problem: unknown;
  child.once('error', (thrown) => (problem = thrown));
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await sleep(50)) {
    if (problem !== undefined || child.exitCode !== null) throw new Error('The other registry did not start.', { cause: problem });
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200 || answer?.status === 401) return;
  }
  throw new Error(`The other registry did not answer within ${READY_WITHIN_MS} ms.`);
}
