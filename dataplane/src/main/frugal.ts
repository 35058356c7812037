/**
 * How a serving process is begun so that it takes little memory. All of this counts only from a process's first moment on, so the first
 * process begins itself anew; those that it forks inherit it.
 */

/**
 * MiB of each half of V8's space for young objects. What a request makes is gone before the next one: larger halves only
 * let more of it pile up, some 15 MiB in each process. Measured to cost nothing, at 64 connections.
 */
const YOUNG_HALF = { flag: '--max-semi-space-size', mib: 4 };

/** How a process is begun, or is to be. */
export interface Beginning {
  /** What stands on the command line before the program. */
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** As it is to be; what the command line and the environment say themselves counts. `compiledCode` is the directory where that is kept. */
export function frugalBeginning({ flags, env }: Beginning, compiledCode: string): Beginning {
  const own = flags.some((flag) => flag.startsWith(YOUNG_HALF.flag));
  return {
    flags: own ? flags : [...flags, `${YOUNG_HALF.flag}=${YOUNG_HALF.mib}`],
    env: {
      // glibc keeps several heaps, of threads that met at one, each with its own free memory: some 20 MiB in each process at rest.
      MALLOC_ARENA_MAX: '1',
      // What is loaded before the place is known has its types taken off anew: what does that takes 7 MiB, and does nothing else.
      NODE_COMPILE_CACHE: compiledCode,
      ...env,
    },
  };
}

/**
 * Begins this process anew, in its place and under its number, unless it was begun like that already; then it returns. Nothing may be
 * open yet. One that another Node.js process talks to stays as it is, since their channel would be lost.
 */
export function beginFrugally(compiledCode: string): void {
  const wanted = frugalBeginning({ flags: process.execArgv, env: process.env }, compiledCode);
  const begun = wanted.flags.length === process.execArgv.length && Object.keys(wanted.env).every((name) => name in process.env);
  if (begun || process.execve === undefined || process.connected) return;
  process.execve(process.execPath, [process.argv0, ...wanted.flags, ...process.argv.slice(1)], wanted.env);
}
