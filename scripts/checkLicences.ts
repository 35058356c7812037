/** Refuses dependencies under a licence that is not known to be permissive, and direct ones that nobody gave a reason for. */
import { existsSync, readFileSync } from 'node:fs';
import { report } from './report.ts';

/** Licences that let the whole be shipped under Apache-2.0. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
]);

/** Packages whose manifest says nothing, with what their README says. */
const IN_README: ReadonlyMap<string, string> = new Map([['node_modules/combine-errors', 'MIT']]);

const REASONS = 'docs/dependencies.md';

interface LockedPackage {
  readonly link?: boolean;
  readonly license?: string;
}

interface Manifest {
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

const readJson = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

/** The licence expression of a package: as the lock file has it, else as its own manifest says in older ways. */
function licenceOf(path: string, locked: LockedPackage): string | undefined {
  if (locked.license !== undefined) return locked.license;
  const manifestPath = `${path}/package.json`;
  if (!existsSync(manifestPath)) return undefined;
  const { license, licenses } = readJson<Manifest>(manifestPath);
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? IN_README.get(path);
}

/** True when the expression leaves a permissive choice: any side of OR, every side of AND. */
export function isPermissive(expression: string): boolean {
  const plain = expression.replaceAll(/[()]/g, '');
  return plain.split(/\s+OR\s+/i).some((choice) => choice.split(/\s+AND\s+/i).every((licence) => PERMISSIVE.has(licence.trim())));
}

function licenceFaults(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, locked]) => ({ path, licence: licenceOf(path, locked) }))
    .filter(({ licence }) => licence === undefined || !isPermissive(licence))
    .map(({ path, licence }) => `${path}: licence ${licence ?? 'unknown'} is not on the list of permissive ones`);
}

/** Names of packages that some package.json of the project asks for itself. */
function directDependencies(): string[] {
  const root = readJson<Manifest>('package.json');
  const manifests = [root, ...(root.workspaces ?? []).map((folder) => readJson<Manifest>(`${folder}/package.json`))];
  const names = manifests.flatMap(({ dependencies, devDependencies }) => Object.keys({ ...dependencies, ...devDependencies }));
  return [...new Set(names)].filter((name) => !name.startsWith('@bonded/')).toSorted();
}

/** Each direct dependency has a table row in the document, and each row a dependency. */
export function reasonFaults(names: readonly string[], document: string): string[] {
  const rows = [...document.matchAll(/^\|\s*`([^`]+)`\s*\|\s*([^|]*)\|/gm)].map(([, name = '', reason = '']) => ({
    name,
    reason: reason.trim(),
  }));
  const given = new Map(rows.map(({ name, reason }) => [name, reason]));
  return [
    ...names.filter((name) => (given.get(name) ?? '') === '').map((name) => `${REASONS} gives no reason for ${name}`),
    ...rows.filter(({ name }) => !names.includes(name)).map(({ name }) => `${REASONS} speaks of ${name}, which no package.json asks for`),
  ];
}

if (import.meta.main) {
  const { packages } = readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json');
  report(
    [...licenceFaults(packages), ...reasonFaults(directDependencies(), readFileSync(REASONS, 'utf8'))],
    `${Object.keys(packages).length} packages under permissive licences; every direct one has a reason.`,
  );
}
