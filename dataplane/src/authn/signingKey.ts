/** The keys that sessions are sealed with: one secret file, shared by every process that must know each other's sessions. */
import { hash, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtefactError } from '../errors.ts';

const KEY_BYTES = 32;
const LINE = /^[A-Za-z0-9_-]{43}$/;
const MAX_KEYS = 16;

/** One key, and what is derived from it for each use. */
export interface SigningKey {
  /** Names the key in tokens; tells nothing of it. */
  readonly id: string;
  /** Seals tokens. */
  readonly sealing: Buffer;
  /** Derives secret access keys. */
  readonly secrets: Buffer;
}

/** The first one seals, all of them open: put a new key before the old one, and take the old one away 12 hours later. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/**
 * Reads the keys from `path`, making the file (mode 0600) with one fresh key when there is none. Of several processes
 * that start at once one makes it, and all read that one. Throws `InvalidArgument` for a file that holds something else
 * or that every user of the machine can read.
 */
export async function loadSigningKeys(path: string): Promise<SigningKeys> {
  const text = (await readIfThere(path)) ?? (await create(path));
  if (((await stat(path)).mode & 0o007) !== 0) throw invalid(path, 'must not be readable by others: chmod 600 it');
  return parseSigningKeys(text, path);
}

/** Reads keys from the text of such a file: one key a line, 32 bytes in base64url; `#` begins a comment. */
export function parseSigningKeys(text: string, path: string): SigningKeys {
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  if (!lines.every((line) => LINE.test(line)) || lines.length > MAX_KEYS)
    throw invalid(path, `must hold at most ${MAX_KEYS} lines of 43 base64url characters`);
  const [first, ...rest] = lines.map((line) => deriveSigningKey(Buffer.from(line, 'base64url')));
  if (first === undefined) throw invalid(path, 'holds no key');
  return [first, ...rest];
}

/** A key that lives as long as the process: for tests, and for tools that need no other process to know it. */
export function ephemeralSigningKey(): SigningKey {
  return deriveSigningKey(randomBytes(KEY_BYTES));
}

function deriveSigningKey(master: Buffer): SigningKey {
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', master, '', `bonded session ${use}`, KEY_BYTES));
  return { id: hash('sha256', derive('key id'), 'hex').slice(0, 8), sealing: derive('sealing'), secrets: derive('secrets') };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Writes beside, then links: the file appears whole and durable or not at all, and never over another one. */
async function create(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const beside = join(dirname(path), `.signing-key.${process.pid}.${randomBytes(6).toString('hex')}`);
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    await file.sync();
    await link(beside, path).catch(unlessThere);
  } finally {
    await file.close();
    await unlink(beside);
  }
  await syncDirectory(dirname(path));
  return readFile(path, 'utf8');
}

function unlessThere(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EEXIST') throw thrown;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

function invalid(path: string, fault: string): ArtefactError {
  return new ArtefactError('InvalidArgument', `The signing key file ${path} ${fault}.`);
}
