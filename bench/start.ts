/** How long after its start the server says that it is ready, with 1,000,000 objects and with none. */
import { family, memoryOf } from '../e2e/src/processes.ts';
import type { Server } from '../e2e/src/server.ts';
import { run } from '../e2e/src/shell.ts';
import { cpuOf } from './cpu.ts';
import { median, peerOf, type Detail, type Figure, type Run, type Target } from './figures.ts';
import { startBonded } from './house.ts';
import { millionStore, OBJECTS } from './store/million.ts';

const LEAST_ROUNDS = 3;
const TARGET: Target = { of: 'value', is: 'below', limit: 1 };

/** Times in seconds, round by round. */
interface Times {
  readonly stopped: number[];
  readonly killed: number[];
  readonly bare: number[];
  readonly cpu: number[];
  readonly memory: number[];
}

/** Every start is that of a new process; the files are in the memory of the machine. */
export async function measureStart({ quick, rounds, cache, say }: Run): Promise<Figure[]> {
  const dataFolder = await millionStore(cache, say);
  const count = quick ? LEAST_ROUNDS : 2 * rounds;
  const full = await startBonded({ dataFolder });
  const fullTimes = await measureStarts(full, count).finally(() => full.stop());
  const firsts: number[] = [];
  const empties: Times[] = [];
  for (let round = 0; round < LEAST_ROUNDS; round++) {
    const began = performance.now();
    const empty = await startBonded();
    firsts.push((performance.now() - began) / 1000);
    empties.push(await measureStarts(empty, 1).finally(() => empty.stop()));
  }
  const many = OBJECTS.toLocaleString('en');
  return [
    figureOf(`${many} objects`, fullTimes, 'stopped'),
    figureOf(`${many} objects, after kill -9`, fullTimes, 'killed'),
    figureOf('no object', joined(empties), 'stopped'),
    { section: 'start', name: 'the very first start', value: median(firsts), unit: 's', runs: firsts, peers: [] },
  ];
}

async function measureStarts(server: Server, rounds: number): Promise<Times> {
  const times: Times = { stopped: [], killed: [], bare: [], cpu: [], memory: [] };
  for (let round = 0; round < rounds; round++) {
    times.bare.push(await seconds(() => run([process.execPath, '-e', '0'])));
    await server.terminate();
    times.stopped.push(await seconds(() => server.start()));
    times.cpu.push(cpuOf(family(server.pid)));
    times.memory.push(memoryOf(server.pid));
    await server.kill();
    times.killed.push(await seconds(() => server.start()));
  }
  return times;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

function joined(all: readonly Times[]): Times {
  const every = (name: keyof Times) => all.flatMap((times) => times[name]);
  return { stopped: every('stopped'), killed: every('killed'), bare: every('bare'), cpu: every('cpu'), memory: every('memory') };
}

function figureOf(name: string, times: Times, kind: 'stopped' | 'killed'): Figure {
  const runs = times[kind];
  return {
    section: 'start',
    name: `ready, ${name}`,
    value: median(runs),
    unit: 's',
    runs,
    peers: [peerOf('Node.js doing nothing', times.bare)],
    target: TARGET,
    details: kind === 'stopped' ? cost(times) : [],
  };
}

function cost({ cpu, memory }: Times): readonly Detail[] {
  return [
    { name: 'all processes by then', value: median(cpu), unit: 'CPU s' },
    { name: 'memory then', value: median(memory), unit: 'MiB' },
  ];
}
