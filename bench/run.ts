/** Measures what users feel, each figure beside a limit or a peer of the same run. Usage: run.ts [--only transfer,small,list,memory,start] */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { table, type Figure } from './figures.ts';
import { measureList } from './list.ts';
import { measureMemory } from './memory.ts';
import { measureSmall } from './small.ts';
import { measureStart } from './start.ts';
import { measureTransfer } from './transfer.ts';

const SECTIONS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  start: measureStart,
  transfer: measureTransfer,
  small: measureSmall,
  list: measureList,
  memory: measureMemory,
};

const OUT = resolve(import.meta.dirname, 'out');

function chosen(): string[] {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const names = values.only?.split(',') ?? Object.keys(SECTIONS);
  const unknown = names.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. Choose from ${Object.keys(SECTIONS).join(', ')}.`);
  return names;
}

function machine(): Readonly<Record<string, unknown>> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  return {
    commit,
    // What else the machine was doing: figures of a busy one say little.
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    node: process.version,
    cores: cpus().length,
    processor: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
  };
}

const names = chosen();
// All parties write to the disk of the checkout, which a temporary folder may not be on.
process.env.TMPDIR = join(OUT, 'tmp');
mkdirSync(process.env.TMPDIR, { recursive: true });

const on = machine();
const figures: Figure[] = [];
for (const name of names) {
  process.stderr.write(`measuring: ${name}\n`);
  figures.push(...((await SECTIONS[name]?.()) ?? []));
}

const at = new Date().toISOString();
const file = join(OUT, `${at.replaceAll(':', '-')}.json`);
writeFileSync(file, `${JSON.stringify({ at, machine: on, figures }, undefined, 2)}\n`);
process.stdout.write(`${table(figures)}\n\nWritten to ${file}\n`);
