/** Memory of a server and all its processes, looked at again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { family, proportionalOf, residentOf } from '../e2e/src/processes.ts';

const SAMPLE_EVERY_MS = 100;
const SETTLE_MS = 5000;
const REST_SAMPLES = 10;

/** MiB over all processes, at one moment. Shared pages count once in `proportional`, for every process in `resident`. */
export interface Sample {
  readonly proportional: number;
  readonly resident: number;
}

/** Samples of a server that nobody asks anything, once it has settled. */
export async function atRest(pid: number): Promise<readonly Sample[]> {
  await sleep(SETTLE_MS);
  const samples: Sample[] = [];
  for (let n = 0; n < REST_SAMPLES; n++) {
    samples.push(sampleOf(family(pid)));
    await sleep(SAMPLE_EVERY_MS);
  }
  return samples;
}

/** Samples of a server while work goes on, and what came of that. */
export async function during<T>(pid: number, work: () => Promise<T>): Promise<{ readonly samples: readonly Sample[]; readonly result: T }> {
  const pids = family(pid);
  const state = { done: false };
  const ended = work().finally(() => {
    state.done = true;
  });
  const samples: Sample[] = [];
  while (!state.done) {
    samples.push(sampleOf(pids));
    await sleep(SAMPLE_EVERY_MS);
  }
  return { samples, result: await ended };
}

function sampleOf(pids: readonly number[]): Sample {
  return { proportional: proportionalOf(pids), resident: residentOf(pids) };
}
