/** Processor time, as the kernel counts it in hundredths of a second. */
import { readdirSync, readFileSync } from 'node:fs';
import { family } from '../e2e/src/processes.ts';

const TICKS_PER_SECOND = 100;

/** Fields of `/proc/<pid>/stat` behind the name; `man 5 proc` numbers them from 3. */
const USER = 14 - 3;
const SYSTEM = 15 - 3;
const CHILDREN_USER = 16 - 3;
const CHILDREN_SYSTEM = 17 - 3;

/** What some work cost. */
export interface Cost {
  /** Processor seconds of the server's processes. */
  readonly server: number;
  /** Processor seconds of the clients, which are programs that the work ran to their end. */
  readonly client: number;
  /** The server's, by kind of thread. */
  readonly threads: Readonly<Record<string, number>>;
}

export const NO_COST: Cost = { server: 0, client: 0, threads: {} };

/** Runs work that a server and clients do; answers what came of it, and what it cost. */
export async function costOf<T>(serverPid: number, work: () => Promise<T>): Promise<{ readonly result: T; readonly cost: Cost }> {
  const pids = family(serverPid);
  const before = { server: cpuOf(pids), client: childrenCpu(), threads: cpuByThread(pids) };
  const result = await work();
  const threads = cpuByThread(pids);
  const cost = {
    server: cpuOf(pids) - before.server,
    client: childrenCpu() - before.client,
    threads: Object.fromEntries(Object.entries(threads).map(([name, value]) => [name, value - (before.threads[name] ?? 0)])),
  };
  return { result, cost };
}

/** A transfer: how long it took by its clients' clocks, and what it cost. */
export interface Transfer {
  readonly seconds: number;
  readonly cost: Cost;
}

/** Costs of work that was done in pieces. */
export function sumOfCosts(costs: readonly Cost[]): Cost {
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  const names = new Set(costs.flatMap(({ threads }) => Object.keys(threads)));
  return {
    server: sum((cost) => cost.server),
    client: sum((cost) => cost.client),
    threads: Object.fromEntries([...names].map((name) => [name, sum((cost) => cost.threads[name] ?? 0)])),
  };
}

/** Processor seconds of processes, since each began. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + fields(`/proc/${pid}/stat`, [USER, SYSTEM]), 0);
}

/** Of programs that this process ran and that have ended. */
function childrenCpu(): number {
  return fields('/proc/self/stat', [CHILDREN_USER, CHILDREN_SYSTEM]);
}

function cpuByThread(pids: readonly number[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) {
      const path = `/proc/${pid}/task/${thread}/stat`;
      const name = Number(thread) === pid ? 'main' : nameOf(path);
      sums[name] = (sums[name] ?? 0) + fields(path, [USER, SYSTEM]);
    }
  }
  return sums;
}

/** A number behind a name tells threads of one kind apart. */
function nameOf(path: string): string {
  const stat = read(path);
  return stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')).replace(/[-_:]?\d+$/, '');
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function fields(path: string, which: readonly number[]): number {
  const stat = read(path);
  const all = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return which.reduce((total, field) => total + Number(all[field] ?? 0), 0) / TICKS_PER_SECOND;
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
