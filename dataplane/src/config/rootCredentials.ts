/**
 * The built-in Owner's access key, made at the first start and kept in `<data>/root-credentials` as an AWS credentials
 * file with the profile `bonded`. To replace it, stop the server, remove the file, start again.
 */
import { randomInt } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtefactError } from '../errors.ts';
import { createFile } from './durableFile.ts';

export interface RootCredentials {
  readonly accessKeyId: string;
  /** Nothing may log it. */
  readonly secretAccessKey: string;
  /** Where it is kept. */
  readonly file: string;
  /** True when this call made it: the time to tell people how to use it. */
  readonly created: boolean;
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const ANY = `${UPPER}abcdefghijklmnopqrstuvwxyz`;
const ID_PREFIX = 'BONDED';
/** Tools of AWS's first generation would sign URLs for this region in the old way otherwise, with SHA-1. */
const SIGN_URLS_WITH_V4 = 's3 =\n    signature_version = s3v4\n';
const FORM =
  /^\[bonded\]\naws_access_key_id = ([A-Z0-9]{20})\naws_secret_access_key = ([A-Za-z0-9]{40})\n(?:s3 =\n +signature_version = s3v4\n)?\n*$/;

/**
 * Reads the key of a data directory, or makes it: of several processes that start at once, one does. Throws `Unavailable`
 * for a file that others may read, or that is not what was written.
 */
export async function loadRootCredentials(data: string): Promise<RootCredentials> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  const file = join(data, 'root-credentials');
  const known = await read(file);
  if (known) return { ...known, file, created: false };
  const made = { accessKeyId: ID_PREFIX + random(UPPER, 20 - ID_PREFIX.length), secretAccessKey: random(ANY, 40) };
  if (await createFile(file, render(made), 0o600)) return { ...made, file, created: true };
  const others = await read(file);
  if (others) return { ...others, file, created: false };
  throw refuse(file, 'vanished while it was read; start again');
}

type Pair = Pick<RootCredentials, 'accessKeyId' | 'secretAccessKey'>;

async function read(file: string): Promise<Pair | undefined> {
  let text: string;
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0)
      throw refuse(file, 'can be read or written by others than its owner; run: chmod 600, or remove it for a new key');
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof ArtefactError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refuse(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  const [, accessKeyId, secretAccessKey] = FORM.exec(text.replaceAll('\r\n', '\n')) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined) throw refuse(file, 'is not as it was written; remove it for a new key');
  return { accessKeyId, secretAccessKey };
}

function render({ accessKeyId, secretAccessKey }: Pair): string {
  return `[bonded]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n${SIGN_URLS_WITH_V4}`;
}

function random(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function refuse(file: string, what: string): ArtefactError {
  return new ArtefactError('Unavailable', `The file of the built-in Owner's key, ${file}, ${what}.`, {
    details: { folder: dirname(file) },
  });
}
