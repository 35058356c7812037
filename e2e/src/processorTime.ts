/** Processor time of a process and all below it, as the kernel counts it. */
import { readFileSync } from 'node:fs';
import { family } from './processes.ts';

/** What the kernel calls a second, on every Linux that Node.js runs on. */
const TICKS = 100;

/** Seconds, user and system, that the process family has used so far. */
export function processorTimeOf(pid: number): number {
  return family(pid).reduce((sum, one) => sum + ticksOf(one), 0) / TICKS;
}

function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}
