/** Refuses words that tie the tree to one machine, one package registry or one tracker. */
import { readFileSync } from 'node:fs';
import { report } from './report.ts';
import { treeFiles } from './treeFiles.ts';

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
}

const RULES: readonly Rule[] = [
  {
    what: 'the host of a package registry',
    pattern:
      /\b(registry\.(npmjs|yarnpkg)\.\w+|pypi\.org|files\.pythonhosted\.org|(static\.|index\.)?crates\.io|proxy\.golang\.org|repo1?\.maven\.(org|apache\.org)|(deb|security)\.debian\.org)\b/i,
  },
  { what: 'a path of one machine', pattern: /(^|[\s"'`(=:,])\/(work|root|home\/[a-z]+)\//m },
  { what: 'an entry of a tracker', pattern: /\bissue\s+#?\d+\b|\bissue #/i },
];

/** The words of this file are the rules themselves. */
const EXEMPT = new Set(['scripts/checkWords.ts', 'scripts/test/checkWords.test.ts', 'LICENSE']);

/** What is wrong in one text, one line each. */
export function wordFaults(path: string, text: string): string[] {
  if (text.includes('\0')) return [];
  return text
    .split('\n')
    .flatMap((line, index) => RULES.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${path}:${index + 1}: ${what}`));
}

if (import.meta.main) {
  const files = treeFiles().filter((path) => !EXEMPT.has(path));
  report(
    files.flatMap((path) => wordFaults(path, readFileSync(path, 'utf8'))),
    `No word out of place in ${files.length} files.`,
  );
}
