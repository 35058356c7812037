/** Checks the import rules, and that the check itself saw every source file. Usage: checkImports.ts [root] */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { importRules } from './importRules.ts';
import { report } from './report.ts';
import { roomOf } from './rooms.ts';

const PACKAGES = ['crds', 'dataplane', 'operator', 'e2e', 'bench', 'scripts'];
const ROOMED = /^(crds|dataplane|operator)\/src\//;

/** Every .ts file of the packages under `root`, as paths from it. */
function sourcesUnder(root: string): string[] {
  const present = new Set(readdirSync(root));
  return PACKAGES.filter((name) => present.has(name)).flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !/(^|\/)(node_modules|out|\.[^/]+)\//.test(path)),
  );
}

/** What breaks the rules under `root`, one line each; empty when nothing does. */
export async function importFaults(root: string): Promise<string[]> {
  const sources = sourcesUnder(root);
  const packages = [...new Set(sources.map((path) => path.split('/')[0] ?? ''))];
  const options = { ...importRules.options, baseDir: root, validate: true, ruleSet: { forbidden: importRules.forbidden } };
  const { output } = await cruise(packages, options, importRules.options.enhancedResolveOptions);
  const result = output as ICruiseResult;
  const seen = new Set(result.modules.map((module) => module.source));
  return [
    ...result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} imports ${to}`),
    ...sources.filter((path) => !seen.has(path)).map((path) => `not seen by the check: ${path}`),
    ...sources.filter((path) => ROOMED.test(path) && roomOf(path) === undefined).map((path) => `in no room (scripts/rooms.ts): ${path}`),
    ...(sources.length === 0 ? ['the check found no source file at all'] : []),
  ];
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? '.');
  report(await importFaults(root), `Import rules hold in ${sourcesUnder(root).length} files.`);
}
