/** A whole house on a free port, over a directory of its own, and a client with the built-in Owner's key. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { readSettings, type Settings } from '../../src/config/settings.ts';
import { startHouse, type House, type HouseOverrides } from '../../src/main/house.ts';
import { createLog } from '../../src/telemetry/log.ts';

export interface Rig {
  readonly house: House;
  readonly directory: string;
  /** As the Owner. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
  /** The log so far. */
  readonly log: () => string;
}

const houses: House[] = [];
const directories: string[] = [];

/** Closes and removes whatever tests opened; call it in `afterEach`. */
export async function raze(): Promise<void> {
  await Promise.all(houses.splice(0).map((house) => house.close(0)));
  await Promise.all(
    directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })),
  );
}

export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'house-'));
  directories.push(directory);
  return directory;
}

export function environmentIn(directory: string): Record<string, string> {
  return {
    BONDED_LISTEN: '127.0.0.1:0',
    BONDED_METRICS_LISTEN: '127.0.0.1:0',
    BONDED_DATA: join(directory, 'data'),
    BONDED_MANIFESTS: join(directory, 'manifests'),
  };
}

export async function raise(
  options: { directory?: string; environment?: Record<string, string>; overrides?: HouseOverrides } = {},
): Promise<Rig> {
  const directory = options.directory ?? (await newDirectory());
  const settings: Settings = readSettings({ ...environmentIn(directory), ...options.environment });
  const chunks: string[] = [];
  const destination = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk.toString()), done()) });
  const house = await startHouse(settings, { log: createLog({ level: 'debug', destination }), ...options.overrides });
  houses.push(house);
  const authorization = await ownerOf(directory);
  return {
    house,
    directory,
    ask: (path, init = {}) => fetch(house.url + path, { ...init, headers: { authorization, ...init.headers } }),
    log: () => chunks.join(''),
  };
}

/** The Owner's key as Basic credentials. */
export async function ownerOf(directory: string): Promise<string> {
  const { id, secret } = await rootKey(directory);
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

export async function rootKey(directory: string): Promise<{ id: string; secret: string }> {
  const text = await readFile(join(directory, 'data', 'root-credentials'), 'utf8');
  return { id: /key_id = (\S+)/.exec(text)![1]!, secret: /access_key = (\S+)/.exec(text)![1]! };
}
