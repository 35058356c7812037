/** Memory at rest, and the most of it while 10 GiB come in and go out over eight connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeWorkspace, MIB } from '../e2e/src/files.ts';
import { family } from '../e2e/src/processes.ts';
import type { Server } from '../e2e/src/server.ts';
import { allAtOnce, curlDown, curlUp } from './clients.ts';
import { median, type Figure, type Run, type Target } from './figures.ts';
import { bucketUrl, startBonded } from './house.ts';
import { atRest, during, type Sample } from './memorySamples.ts';
import { sparseFiles } from './sparse.ts';

const CONNECTIONS = 8;
const GIB = 1024 * MIB;
const TOTAL = 10 * GIB;
const QUICK_TOTAL = 1 * GIB;

/** Threads end when nobody needed them for 30 s. */
const THREADS_END_MS = 33_000;

const AT_REST: Target = { of: 'value', is: 'at most', limit: 128 };
const OVER_REST: Target = { of: 'value', is: 'below', limit: 64 };

/** The most there may be over what is there at rest counts from the rest before any request. */
export async function measureMemory({ quick }: Run): Promise<Figure[]> {
  const alone = await startBonded({ workers: 1 });
  const restAlone = await startAgain(alone)
    .then(() => atRest(alone.pid))
    .finally(() => alone.stop());
  const work = await makeWorkspace();
  const bonded = await startBonded();
  try {
    const restAtFirst = await atRest(bonded.pid);
    await startAgain(bonded);
    const rest = await atRest(bonded.pid);
    const total = quick ? QUICK_TOTAL : TOTAL;
    const size = total / CONNECTIONS;
    const files = await sparseFiles(work, CONNECTIONS, size);
    const urls = files.map((_, n) => `${bucketUrl(bonded)}/large-${n}`);
    const sent = files.map((file, n) => ({ file, url: urls[n] ?? '' }));
    const { samples: up } = await during(bonded.pid, () => allAtOnce(sent, size, curlUp));
    // Or the threads that hashed the uploads would count as memory of downloads.
    await sleep(THREADS_END_MS);
    const { samples: down } = await during(bonded.pid, () => allAtOnce(urls, size, curlDown));
    const after = await atRest(bonded.pid);
    const gib = total / GIB;
    return [
      restFigure('at rest, 1 worker', restAlone, 1),
      restFigure('at rest, one worker per core', rest, family(bonded.pid).length),
      peakFigure(`over rest, ${gib} GiB up × ${CONNECTIONS} conn.`, up, rest),
      peakFigure(`over rest, ${gib} GiB down × ${CONNECTIONS} conn.`, down, rest),
      { ...restFigure('at rest, the very first start', restAtFirst, family(bonded.pid).length), target: undefined },
      { ...restFigure('at rest again, after both', after, family(bonded.pid).length), target: undefined },
    ];
  } finally {
    await Promise.all([bonded.stop(), work.remove()]);
  }
}

/** Its first start and its first large upload leave compiled code, which every later start finds. */
async function startAgain(server: Server): Promise<void> {
  const { status } = await fetch(`${bucketUrl(server)}/first`, { method: 'PUT', body: Buffer.alloc(8 * MIB) });
  if (status !== 200) throw new Error(`A PUT was answered ${status}.`);
  await server.terminate();
  await server.start();
}

function restFigure(name: string, samples: readonly Sample[], processes: number): Figure {
  const runs = samples.map(({ proportional }) => proportional);
  const details = [{ name: 'resident', value: median(samples.map(({ resident }) => resident)), unit: 'MiB' }];
  return {
    section: 'memory',
    name,
    value: median(runs),
    unit: 'MiB',
    runs,
    peers: [],
    target: AT_REST,
    details,
    note: `${processes} process${processes === 1 ? '' : 'es'}`,
  };
}

function peakFigure(name: string, samples: readonly Sample[], rest: readonly Sample[]): Figure {
  const base = median(rest.map(({ proportional }) => proportional));
  const runs = samples.map(({ proportional }) => proportional - base);
  const details = [
    { name: 'at most', value: base + Math.max(...runs), unit: 'MiB' },
    { name: 'mostly', value: base + median(runs), unit: 'MiB' },
    { name: 'resident at most', value: Math.max(...samples.map(({ resident }) => resident)), unit: 'MiB' },
  ];
  return {
    section: 'memory',
    name,
    value: Math.max(...runs),
    unit: 'MiB',
    runs,
    peers: [],
    target: OVER_REST,
    details,
    note: `${runs.length} samples`,
  };
}
