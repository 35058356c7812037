/** Starts the child of `child.ts`. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Lines it prints, in order; the first is `open`. */
  readonly lines: AsyncIterator<string>;
  readonly ended: Promise<number | null>;
}

/** Starts a task on a directory, and waits until its store is open. */
export async function startChild(directory: string, task: 'write' | 'count' | 'see', argument = ''): Promise<Child> {
  const script = fileURLToPath(new URL('./child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory, task, argument], { stdio: 'pipe' });
  child.stderr.pipe(process.stderr);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value, done } = await lines.next();
  if (done || value !== 'open') throw new Error('The child did not open its store.');
  return { process: child, lines, ended };
}
