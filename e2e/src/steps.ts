/** Python scripts whose steps become tests: `script --list` names them, `script <step>` runs one and fails loudly. */
import { run, type RunOptions } from './shell.ts';
import { CHECKOUT } from './server.ts';

export const PYTHON = `${CHECKOUT}/.tools/venv/bin/python`;

/** The steps of a script in e2e/python, in order. */
export async function stepsOf(script: string): Promise<readonly string[]> {
  const listed = await run([PYTHON, `${CHECKOUT}/e2e/python/${script}`, '--list']);
  return listed.trim().split('\n');
}

export async function runStep(script: string, step: string, options: RunOptions): Promise<void> {
  await run([PYTHON, `${CHECKOUT}/e2e/python/${script}`, step], options);
}
