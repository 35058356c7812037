/** Refuses source files over 300 lines, and shows how long files are. */
import { readFileSync } from 'node:fs';
import { report } from './report.ts';
import { treeFiles } from './treeFiles.ts';

const LIMIT = 300;
const WORTH_A_LOOK = 220;
const SOURCE = /^(crds|dataplane|operator)\/src\/.*\.ts$/;

interface Measured {
  readonly path: string;
  readonly lines: number;
}

/** Generated files are nobody's to shorten. */
function measure(path: string): readonly Measured[] {
  const text = readFileSync(path, 'utf8');
  return /^\/[*/].*generated/i.test(text) ? [] : [{ path, lines: text.split('\n').length - 1 }];
}

if (import.meta.main) {
  const files = treeFiles()
    .filter((path) => SOURCE.test(path))
    .flatMap(measure)
    .toSorted((a, b) => a.lines - b.lines);
  const at = (share: number) => files[Math.min(files.length - 1, Math.floor(files.length * share))]?.lines ?? 0;
  for (const { path, lines } of files.filter((file) => file.lines > WORTH_A_LOOK && file.lines <= LIMIT))
    process.stdout.write(`worth a look: ${path} has ${lines} lines\n`);
  report(
    [
      ...files.filter((file) => file.lines > LIMIT).map(({ path, lines }) => `${path} has ${lines} lines; ${LIMIT} are the limit`),
      ...(files.length === 0 ? ['no source file found to measure'] : []),
    ],
    `${files.length} source files: median ${at(0.5)} lines, nine in ten up to ${at(0.9)}, longest ${at(1)}.`,
  );
}
