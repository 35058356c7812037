/** Measures what is promised, each figure beside a limit or a peer of the same run. Usage: run.ts [--only download,small,…] [--quick] */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureDownload } from './download.ts';
import type { Figure, Measure, Run } from './figures.ts';
import { measureHostile } from './hostile.ts';
import { measureList } from './list.ts';
import { measureMemory } from './memory.ts';
import { documentOf } from './results.ts';
import { measureS3 } from './s3.ts';
import { measureSmall } from './small.ts';
import { measureStart } from './start.ts';
import { table } from './table.ts';
import { measureUpload } from './upload.ts';

/** A further section is a file with a `Measure`, and a line here. */
const SECTIONS: Readonly<Record<string, Measure>> = {
  download: measureDownload,
  upload: measureUpload,
  small: measureSmall,
  list: measureList,
  memory: measureMemory,
  start: measureStart,
  hostile: measureHostile,
  s3: measureS3,
};

const OUT = resolve(import.meta.dirname, 'out');

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });

function chosen(): string[] {
  const names = values.only?.split(',') ?? Object.keys(SECTIONS);
  const unknown = names.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. Choose from ${Object.keys(SECTIONS).join(', ')}.`);
  return names;
}

function machine() {
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  return {
    commit,
    // What else the machine was doing: figures of a busy one say little.
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    node: process.version,
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
  };
}

const names = chosen();
// All parties write to the disk of the checkout, which a temporary folder may not be on.
process.env.TMPDIR = join(OUT, 'tmp');
mkdirSync(process.env.TMPDIR, { recursive: true });

const run: Run = {
  quick: values.quick,
  rounds: values.quick ? 1 : 5,
  cache: OUT,
  say: (text) => void process.stderr.write(`  ${text}\n`),
};
const on = machine();
const figures: Figure[] = [];
for (const name of names) {
  process.stderr.write(`measuring: ${name}\n`);
  try {
    figures.push(...((await SECTIONS[name]?.(run)) ?? []));
  } catch (thrown) {
    // What the others measured is worth as much.
    process.stderr.write(`could not measure ${name}: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exitCode = 1;
  }
}

const at = new Date().toISOString();
const file = join(OUT, `${at.replaceAll(':', '-')}${run.quick ? '-quick' : ''}.json`);
writeFileSync(file, `${JSON.stringify(documentOf({ at, quick: run.quick, machine: on, figures }), undefined, 2)}\n`);
process.stdout.write(`\n${table(figures)}\n\nWritten to ${file}\n`);
