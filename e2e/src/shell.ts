/** Runs programs as a person would, with bounded time, and shows what they said when they fail. */
import { spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment of the program; none of this process's own is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Given on standard input, which is empty otherwise. */
  readonly input?: string | Uint8Array;
  /** The program is killed after this long; 110 s by default. */
  readonly timeoutMs?: number;
}

export type Command = readonly [program: string, ...args: string[]];

const LONGEST_MS = 110_000;

/** Runs a program to its end, whatever that is. Throws only when it cannot start or takes too long. */
export function attempt(command: Command, options: RunOptions = {}): Promise<Finished> {
  const [program, ...args] = command;
  const timeoutMs = options.timeoutMs ?? LONGEST_MS;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.env ?? {}, cwd: options.cwd, timeout: timeoutMs, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const finished = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
      if (signal === 'SIGKILL') reject(new Error(`${describe(command)} was killed, perhaps after ${timeoutMs} ms\n${finished.stderr}`));
      else resolve(finished);
    });
    // A program that does not read its input closes the pipe; that is its own affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
  });
}

/** Runs a program that must succeed; answers its standard output. */
export async function run(command: Command, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, options);
  if (code === 0) return stdout;
  throw new Error(`${describe(command)} ended with ${code}\n${excerpt(stderr)}\n${excerpt(stdout)}`);
}

/** Runs a program that must fail; answers all it said. */
export async function fails(command: Command, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, options);
  if (code !== 0) return `${stderr}\n${stdout}`;
  throw new Error(`${describe(command)} succeeded, which it should not have\n${excerpt(stdout)}`);
}

function describe(command: Command): string {
  return command.join(' ').slice(0, 400);
}

/** Enough for a person to see what it was about. */
function excerpt(said: string): string {
  return said.length <= 4000 ? said : `${said.slice(0, 2000)}\n[…]\n${said.slice(-2000)}`;
}
