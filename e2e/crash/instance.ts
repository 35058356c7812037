/** The server under test: one data directory, started and killed again and again on the same ports. */
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, killGroup, startGroup } from '../src/group.ts';
import { freePorts } from '../src/ports.ts';
import { family } from '../src/processes.ts';
import { CHECKOUT, type Credentials } from '../src/server.ts';

export interface Instance {
  readonly host: string;
  readonly dataFolder: string;
  /** Starts it, without waiting. */
  launch(start: Start): void;
  /** Waits until it serves. Throws when it ends, or does not serve in a minute. */
  ready(): Promise<void>;
  /** Kills it and all its processes at once; resolves when they are gone. */
  kill(): Promise<void>;
  /** Kills one of several workers; false when there is only one process. */
  killWorker(index: number): boolean;
  /** Asks it to stop. */
  terminate(): void;
  /** Makes what lies in the data directory so much older, in ms. Only while nothing runs. */
  age(ms: number): void;
  credentials(): Promise<Credentials>;
  /** Calls back once when a round of collection is due. */
  onCollection(callback: () => void): void;
  /** Rounds of collection so far. */
  collections(): number;
  /** Lines of its log that tell of an error, since the last call. */
  errors(): readonly string[];
}

export interface Start {
  readonly workers: number;
  /** How far its clock runs ahead, in ms. */
  readonly ahead: number;
  /** Pause between rounds of collection, in ms of real time. */
  readonly collectEvery: number;
}

export interface InstanceOptions {
  /** For everything that it keeps. */
  readonly folder: string;
  /** Where the server's sources are: this checkout, or one that was broken on purpose. */
  readonly checkout?: string;
  readonly env: Readonly<Record<string, string>>;
}

const READY_WITHIN_MS = 60_000;
const DUE = '{"crash":"collection"}';

export async function prepareInstance({ folder, checkout = CHECKOUT, env }: InstanceOptions): Promise<Instance> {
  const paths = { data: join(folder, 'data'), manifests: join(folder, 'manifests'), log: join(folder, 'server.log') };
  await mkdir(paths.manifests, { recursive: true });
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const host = `127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let onDue: (() => void) | undefined;
  let collections = 0;
  let errors: string[] = [];
  const hear = (line: string): void => {
    if (line === DUE) {
      collections += 1;
      onDue?.();
      onDue = undefined;
      return;
    }
    appendFileSync(paths.log, `${line}\n`);
    if (tellsOfError(line)) errors.push(line.slice(0, 2000));
  };
  return {
    host,
    dataFolder: paths.data,
    launch({ workers, ahead, collectEvery }) {
      const environment: Record<string, string> = {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        BONDED_LISTEN: host,
        BONDED_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
        BONDED_DATA: paths.data,
        BONDED_MANIFESTS: paths.manifests,
        BONDED_WORKERS: String(workers),
        BONDED_LOG_LEVEL: 'warn',
        BONDED_UPLOAD_LIFE: '1d',
        CRASH_CLOCK_AHEAD_MS: String(ahead),
        CRASH_HARNESS_PID: String(process.pid),
        CRASH_COLLECT_EVERY_MS: String(collectEvery),
        ...env,
      };
      const clock = join(import.meta.dirname, 'clock.ts');
      child = startGroup(process.execPath, ['--import', clock, 'dataplane/src/main.ts'], {
        cwd: checkout,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      createInterface({ input: child.stdout! }).on('line', hear);
      createInterface({ input: child.stderr! }).on('line', (line) => appendFileSync(paths.log, `${line}\n`));
    },
    ready: () => untilReady(child!, `http://${host}/readyz`, paths.log),
    async kill() {
      if (child !== undefined) await killGroup(child);
    },
    killWorker(index) {
      const [, ...workers] = family(child?.pid ?? 0);
      const pid = workers[index % Math.max(1, workers.length)];
      if (pid === undefined) return false;
      process.kill(pid, 'SIGKILL');
      return true;
    },
    terminate: () => void child?.kill('SIGTERM'),
    age: (ms) => ageFiles(join(paths.data, 'objects'), ms),
    credentials: async () => parseCredentials(await readFile(join(paths.data, 'root-credentials'), 'utf8')),
    onCollection: (callback) => void (onDue = callback),
    collections: () => collections,
    errors() {
      const told = errors;
      errors = [];
      return told;
    },
  };
}

function ageFiles(folder: string, ms: number): void {
  if (ms === 0 || !existsSync(folder)) return;
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => join(entry.parentPath, entry.name));
  for (const path of entries.filter((name) => !/\.sqlite/.test(name))) {
    const time = (statSync(path).mtimeMs - ms) / 1000;
    utimesSync(path, time, time);
  }
}

async function untilReady(child: ChildProcess, url: string, log: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (!hasEnded(child) && Date.now() < until) {
    if (await isReady(url)) return;
    await sleep(10);
  }
  const said = await readFile(log, 'utf8').catch(() => '');
  throw new Error(`The server does not become ready (${child.exitCode ?? child.signalCode ?? 'it runs'}); it said:\n${said.slice(-3000)}`);
}

function isReady(url: string): Promise<boolean> {
  return new Promise((answer) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      answer(response.statusCode === 200);
    }).on('error', () => answer(false));
  });
}

/** Levels of pino: 50 is an error, 60 the end. That a worker was killed is no fault of the server's. */
function tellsOfError(line: string): boolean {
  return /"level":\s*"?(50|60|error|fatal)\b/.test(line) && !line.includes('a worker ended');
}

function parseCredentials(text: string): Credentials {
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)$`, 'm').exec(text)?.[1];
  const accessKeyId = value('aws_access_key_id');
  const secretAccessKey = value('aws_secret_access_key');
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error(`root-credentials holds no key pair: ${JSON.stringify(text)}`);
  return { accessKeyId, secretAccessKey };
}
