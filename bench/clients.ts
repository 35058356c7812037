/** Programs that move bytes, several at a time: each its own process with one connection. */
import { resolve } from 'node:path';
import { run, type Command } from '../e2e/src/shell.ts';

const env = { PATH: process.env.PATH ?? '' };
const SINK = resolve(import.meta.dirname, 'sink.py');
const LONGEST_MS = 600_000;

/** What a client did, by its own clock: its program's start does not count. */
interface Moved {
  readonly bytes: number;
  readonly seconds: number;
}

type Client = (url: string) => Promise<Moved>;

/** curl, which throws what it takes away. */
export const curlDown: Client = async (url) => movedOf(await curl(['--write-out', '%{size_download} %{time_total}', url]));

/** A client that costs next to nothing: its kernel drops the bytes. */
export const sinkDown: Client = async (url) => movedOf(await bounded(['python3', SINK, url]));

/** What curl sends, with headers beside its own. */
export interface Sent {
  readonly file: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a file. */
export async function curlUp({ file, url, headers = {} }: Sent): Promise<Moved> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  return movedOf(await curl(['--header', 'Expect:', ...lines, '--write-out', '%{size_upload} %{time_total}', '--upload-file', file, url]));
}

/** Starts one for each at the same moment, and answers the seconds of the slowest. Throws unless each moved `size` bytes. */
export async function allAtOnce<T>(items: readonly T[], size: number, client: (item: T) => Promise<Moved>): Promise<number> {
  const moved = await Promise.all(items.map(client));
  const wrong = moved.find(({ bytes }) => bytes !== size);
  if (wrong !== undefined) throw new Error(`A client moved ${wrong.bytes} bytes instead of ${size}.`);
  return Math.max(...moved.map(({ seconds }) => seconds));
}

function movedOf(said: string): Moved {
  const [bytes = NaN, seconds = NaN] = said.trim().split(' ').map(Number);
  return { bytes, seconds };
}

function curl(args: readonly string[]): Promise<string> {
  return bounded(['curl', '--silent', '--show-error', '--fail', '--output', '/dev/null', ...args]);
}

function bounded(command: Command): Promise<string> {
  return run(command, { env, timeoutMs: LONGEST_MS });
}
