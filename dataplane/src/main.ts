/**
 * Starts Bonded as the environment says: alone in this process, or as the primary of several, or as one of its workers. With a
 * command, does that instead.
 */
import cluster from 'node:cluster';
import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { readSettings, type Settings } from './config/settings.ts';
import { ArtefactError } from './errors.ts';
import { beginFrugally } from './main/frugal.ts';

/**
 * V8 learns where long-lived objects are made, and makes them among the old ones from then on. Here that depends on how long the disk
 * took: what a slow upload taught it is wrong for quick requests, each of which then stays in memory, with all that it refers
 * to, until the next full collection: a third of the processor's time under load.
 */
setFlagsFromString('--no-allocation-site-pretenuring');

try {
  const settings = readSettings(process.env);
  await start(settings);
} catch (thrown) {
  process.stderr.write(`${process.argv[2] === undefined ? 'Bonded could not start' : 'Bonded'}: ${describe(thrown)}\n`);
  process.exit(1);
}

/** The rooms are loaded only now, when their compiled code can be taken from where the last start left it. */
async function start(settings: Settings): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  if (command !== undefined) return runCommand(settings, command, args);
  const compiledCode = placeOfCompiledCode(settings);
  beginFrugally(compiledCode);
  keepCompiledCode(compiledCode);
  if (cluster.isWorker) return (await import('./main/worker.ts')).runWorker(settings);
  if (settings.workers === 1) return (await import('./main/alone.ts')).runAlone(settings);
  return (await import('./main/primary.ts')).runPrimary(settings);
}

async function runCommand(settings: Settings, command: string, [directory, ...more]: readonly string[]): Promise<void> {
  if (command !== 'backup' || !directory || more.length > 0) {
    throw new ArtefactError('InvalidArgument', 'the only command is: backup <new directory>');
  }
  const { target, files, missing } = await (await import('./main/backup.ts')).takeBackup(settings, directory);
  process.stdout.write(`The backup is in ${target}: records, configuration, and ${files} files of blobs.\n`);
  if (missing.length === 0) return;
  process.stderr.write(
    `The bytes of ${missing.length} digests are missing in the store, and in the backup: ${missing.slice(0, 20).join(' ')}\n`,
  );
  process.exitCode = 1;
}

/** It is code that will be run, so it is kept where only the owner of the data can write. */
function placeOfCompiledCode({ data }: Settings): string {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return join(data, 'compile-cache');
}

/** Spares later starts, threads and workers the compiling: a third of their time, and 25 MB of memory each. */
function keepCompiledCode(place: string): void {
  process.env['NODE_COMPILE_CACHE'] ??= place;
  enableCompileCache();
}

/** Whoever started it reads why; a stack is for what nobody expected. */
function describe(thrown: unknown): string {
  if (thrown instanceof ArtefactError) return thrown.message;
  if (!(thrown instanceof Error)) return String(thrown);
  const expected = 'syscall' in thrown;
  return expected ? thrown.message : (thrown.stack ?? thrown.message);
}
