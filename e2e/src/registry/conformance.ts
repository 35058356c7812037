/** The conformance suite of the distribution specification, run as it is; its reports are kept. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from '../server.ts';
import { attempt } from '../shell.ts';
import { program } from './programs.ts';
import type { Registry } from './registry.ts';

/** `stable` is the newest tagged version of the specification, `dev` what its main branch has added since. */
export type SpecVersion = 'stable' | 'dev';

export type Outcome = 'Pass' | 'FAIL' | 'Error' | 'Skip' | 'Disabled';

export interface Verdict {
  /** Every endpoint and every kind of content that the suite knows, with what became of it: `Manifest put by tag`, `Nested Index`, … */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** All single checks that failed, each with what was wrong. */
  readonly failures: readonly string[];
  readonly passed: number;
  readonly exitCode: number | null;
  /** Where `report.html`, `junit.xml`, `results.yaml` and `output.txt` are. */
  readonly folder: string;
}

const LONGEST_MS = 100_000;

/** Runs every category of the suite with its own defaults. `more`: further variables of the suite. */
export async function runConformance(
  registry: Registry,
  version: SpecVersion,
  more: Readonly<Record<string, string>> = {},
): Promise<Verdict> {
  const folder = join(CHECKOUT, 'e2e/out/conformance', `${registry.name}-${version}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const env = {
    OCI_REGISTRY: registry.host,
    OCI_TLS: 'disabled',
    OCI_REPO1: registry.repository('conformance/one'),
    OCI_REPO2: registry.repository('conformance/two'),
    OCI_USERNAME: registry.user,
    OCI_PASSWORD: registry.password,
    OCI_VERSION: version,
    OCI_RESULTS_DIR: folder,
    ...more,
  };
  const { code, stdout, stderr } = await attempt([program('conformance')], { env, cwd: folder, timeoutMs: LONGEST_MS });
  await writeFile(join(folder, 'output.txt'), `${stdout}\n${stderr}`);
  const outcomes = outcomesIn(await readFile(join(folder, 'results.yaml'), 'utf8'));
  return { outcomes, ...casesIn(await readFile(join(folder, 'junit.xml'), 'utf8')), exitCode: code, folder };
}

/** The lines below `apis:` and `data:`, which are all of the form `name: outcome`. */
function outcomesIn(yaml: string): ReadonlyMap<string, Outcome> {
  const lines = yaml.matchAll(/^ +"?([^":]+)"?: (Pass|FAIL|Error|Skip|Disabled)$/gm);
  return new Map([...lines].map(([, name = '', outcome]) => [name, outcome as Outcome]));
}

function casesIn(junit: string): Pick<Verdict, 'failures' | 'passed'> {
  const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]*?status="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)];
  const said = (inner: string) => /<system-out>(.*?)<\/system-out>/s.exec(inner)?.[1] ?? '';
  const failed = cases.filter(([, , status]) => status === 'failure' || status === 'error');
  return {
    failures: failed.map(([, name = '', , inner = '']) => readable(`${name}: ${said(inner)}`)),
    passed: cases.filter(([, , status]) => status === 'passed').length,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&#34;': '"',
  '&#39;': "'",
  '&#xA;': '\n  ',
  '&#x9;': ' ',
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

function readable(xml: string): string {
  return xml.replace(/&[#\w]+;/g, (entity) => ENTITIES[entity] ?? entity);
}
