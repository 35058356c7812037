/** Memory of a process and all below it, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

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
  return proportionalOf(family(pid));
}

/** Sum of the proportional set sizes of processes, in MiB. */
export function proportionalOf(pids: readonly number[]): number {
  return sumOf(pids, 'smaps_rollup', /^Pss:\s+(\d+) kB$/m);
}

/** Sum of the resident set sizes of processes, in MiB: memory that several share is counted for each. */
export function residentOf(pids: readonly number[]): number {
  return sumOf(pids, 'status', /^VmRSS:\s+(\d+) kB$/m);
}

/** What files of `/proc/<pid>/` say in kB; a process that is gone has nothing. */
function sumOf(pids: readonly number[], file: string, line: RegExp): number {
  const kib = pids.map((pid) => {
    try {
      return Number(line.exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return kib.reduce((total, value) => total + value, 0) / 1024;
}
