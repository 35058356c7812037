/** A real server process on free ports with folders of its own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CertificateFiles } from './certificate.ts';
import { storageEnvironment } from '../s3-backend/storage.ts';
import { hasEnded, killGroup, startGroup } from './group.ts';
import { freePorts } from './ports.ts';

export const CHECKOUT = resolve(import.meta.dirname, '../..');

export interface ServerOptions {
  /** Manifests by file name, beside those that come with the checkout when `withSamples`. */
  readonly manifests?: Readonly<Record<string, string>>;
  readonly withSamples?: boolean;
  /** Content of the file of trusted issuers. */
  readonly issuers?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files that stand in the data directory before the first start, by name. */
  readonly dataFiles?: Readonly<Record<string, string>>;
  /** A data directory that is there already and stays when the server goes, in the place of a new one. */
  readonly dataFolder?: string;
  /** A program, with its arguments, that starts the server as its own arguments say: `prlimit`, for example. */
  readonly through?: readonly string[];
  /** Serves HTTPS with this certificate, which is its own authority. */
  readonly tls?: CertificateFiles;
  /** Called before the first start, with the folder of data, which is there. */
  readonly beforeStart?: (dataFolder: string) => void;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Server {
  readonly url: string;
  readonly host: string;
  readonly metricsUrl: string;
  readonly folder: string;
  readonly dataFolder: string;
  readonly manifestsFolder: string;
  readonly credentials: Credentials;
  /** An environment in which AWS tools know the server and its Owner key, and nothing of the person who runs the tests. */
  readonly awsEnv: Readonly<Record<string, string>>;
  readonly pid: number;
  log(): Promise<string>;
  /** Ends it at once, with all of its processes, as a power cut would. */
  kill(): Promise<void>;
  /** Asks it to end and answers the exit code. */
  terminate(): Promise<number | null>;
  /** Starts it again on the same folders and ports. */
  start(): Promise<void>;
  /** Ends it and removes its folders. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const POLL_MS = 10;
const STOPS_WITHIN_MS = 30_000;

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bonded-server-'));
  const paths = { data: options.dataFolder ?? join(folder, 'data'), manifests: join(folder, 'manifests'), log: join(folder, 'server.log') };
  await layManifests(paths.manifests, options);
  await layFiles(paths.data, options.dataFiles);
  options.beforeStart?.(paths.data);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const host = `127.0.0.1:${port}`;
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    BONDED_LISTEN: host,
    BONDED_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    BONDED_DATA: paths.data,
    BONDED_MANIFESTS: paths.manifests,
    ...(await storageEnvironment(folder)),
    ...options.env,
    ...(await trustEnvironment(folder, options)),
  };
  const url = `${options.tls === undefined ? 'http' : 'https'}://${host}`;
  const launch = () => launchProcess(env, paths.log, { url, authority: options.tls?.certificate, through: options.through });
  const state = { child: await launch() };
  const credentialsFile = join(paths.data, 'root-credentials');
  return {
    url,
    host,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    folder,
    dataFolder: paths.data,
    manifestsFolder: paths.manifests,
    credentials: parseCredentials(await readFile(credentialsFile, 'utf8')),
    awsEnv: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      AWS_SHARED_CREDENTIALS_FILE: credentialsFile,
      AWS_CONFIG_FILE: join(folder, 'aws-config'),
      AWS_PROFILE: 'bonded',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '2',
    },
    get pid() {
      return state.child.pid ?? 0;
    },
    log: () => readFile(paths.log, 'utf8'),
    kill: () => killGroup(state.child),
    terminate: () => terminateProcess(state.child),
    start: async () => {
      state.child = await launch();
    },
    stop: async () => {
      await terminateProcess(state.child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whose tokens are trusted, and the certificate. */
async function trustEnvironment(folder: string, { issuers, tls }: ServerOptions): Promise<Record<string, string>> {
  const env: Record<string, string> = tls === undefined ? {} : { BONDED_TLS_CERT: tls.certificate, BONDED_TLS_KEY: tls.key };
  if (issuers === undefined) return env;
  const file = join(folder, 'issuers.yaml');
  await writeFile(file, issuers);
  return { ...env, BONDED_OIDC_ISSUERS: file };
}

async function layFiles(folder: string, files: ServerOptions['dataFiles'] = {}): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })));
}

async function layManifests(folder: string, options: ServerOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (options.withSamples === true) await cp(join(CHECKOUT, 'config/standalone'), folder, { recursive: true });
  await Promise.all(Object.entries(options.manifests ?? {}).map(([name, text]) => writeFile(join(folder, name), text)));
}

/** A group of its own, so that worker processes end with it. */
async function launchProcess(env: Record<string, string>, logFile: string, address: Launch): Promise<ChildProcess> {
  const log = openSync(logFile, 'a');
  const [program = process.execPath, ...args] = [...(address.through ?? []), process.execPath, 'dataplane/src/main.ts'];
  const child = startGroup(program, args, { cwd: CHECKOUT, env, stdio: ['ignore', log, log] });
  closeSync(log);
  try {
    await untilReady(child, address);
  } catch (error) {
    await killGroup(child);
    const said = await readFile(logFile, 'utf8');
    throw new Error(`The server did not become ready; it said:\n${said.slice(-4000)}`, { cause: error });
  }
  return child;
}

interface Launch extends Address {
  readonly through?: readonly string[];
}

interface Address {
  readonly url: string;
  /** PEM file of who signed its certificate. */
  readonly authority?: string;
}

async function untilReady(child: ChildProcess, address: Address): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    if (hasEnded(child)) throw new Error(`It ended with ${child.exitCode ?? child.signalCode}.`);
    if (await isReady(address)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`No ready answer within ${READY_WITHIN_MS} ms.`);
}

async function isReady({ url, authority }: Address): Promise<boolean> {
  const target = `${url}/readyz`;
  const ask = authority === undefined ? httpGet(target) : httpsGet(target, { ca: await readFile(authority) });
  return new Promise((answer) => {
    ask.on('response', (response) => {
      response.resume();
      answer(response.statusCode === 200);
    });
    ask.on('error', () => answer(false));
  });
}

async function terminateProcess(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) {
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(STOPS_WITHIN_MS) });
    child.kill('SIGTERM');
    await ended.catch(() => undefined);
  }
  const code = child.exitCode;
  await killGroup(child);
  return code;
}

/** Reads the AWS credentials file that the server makes at its first start. */
function parseCredentials(text: string): Credentials {
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)$`, 'm').exec(text)?.[1];
  const accessKeyId = value('aws_access_key_id');
  const secretAccessKey = value('aws_secret_access_key');
  if (accessKeyId === undefined || secretAccessKey === undefined) throw new Error('The root credentials file holds no key pair.');
  return { accessKeyId, secretAccessKey };
}
