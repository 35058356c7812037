/** Memory of a process and all below it, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024 * 1024;

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** A process and its descendants. */
export function family(pid: number): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(all.map((one) => [one, parentOf(one)]));
  const members = [pid];
  for (const member of members) members.push(...all.filter((one) => parents.get(one) === member));
  return members;
}

/** Sum of the proportional set sizes of a process family, in MiB: memory that several share is counted once. */
export function memoryOf(pid: number): number {
  return sum(family(pid).map((one) => proportionalSetSize(one))) / MIB;
}

function proportionalSetSize(pid: number): number {
  try {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
