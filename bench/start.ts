/** How long after its start the server says it is ready. */
import { run } from '../e2e/src/shell.ts';
import { median, type Figure } from './figures.ts';
import { startBonded } from './house.ts';

const ROUNDS = 5;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

export async function measureStart(): Promise<Figure[]> {
  const first: number[] = [];
  const again: number[] = [];
  const killed: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await seconds(() => run([process.execPath, '-e', '0'])));
    const begin = performance.now();
    const server = await startBonded();
    first.push((performance.now() - begin) / 1000);
    await server.terminate();
    again.push(await seconds(() => server.start()));
    await server.kill();
    killed.push(await seconds(() => server.start()));
    await server.stop();
  }
  const peers = [{ name: 'Node.js doing nothing', value: median(bare) }];
  const figure = (name: string, runs: number[]): Figure => ({ section: 'start', name, value: median(runs), unit: 's', runs, peers });
  return [figure('ready, first start', first), figure('ready, next start', again), figure('ready, after being killed', killed)];
}
