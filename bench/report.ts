/**
 * Writes what `make bench` measured into docs/measurements.md, between its two marks. Usage: report.ts [results.json …]
 * Without a file the newest whole run is taken; of several, later ones take the place of earlier ones, section by section.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { explanations, metText, ratioText, readable, targetText } from './table.ts';
import type { Figure } from './figures.ts';
import type { Machine, Results } from './results.ts';

const PAGE = resolve(import.meta.dirname, '../docs/measurements.md');
const OUT = resolve(import.meta.dirname, 'out');
const [BEGIN, END] = ['<!-- bench -->', '<!-- /bench -->'] as const;

const HEAD = ['', 'measured', 'beside', 'ratio (spread)', 'target', 'met', 'more'];

/** The page with these results between its marks. */
export function withResults(page: string, results: readonly Results[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The page has no ${BEGIN} … ${END}.`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${sections(results)}\n\n${page.slice(end)}`;
}

function sections(results: readonly Results[]): string {
  const bySection = new Map<string, { readonly figures: readonly Figure[]; readonly of: Results }>();
  for (const one of results) {
    for (const [section, figures = []] of Object.entries(Object.groupBy(one.figures, (figure) => figure.section)))
      bySection.set(section, { figures, of: one });
  }
  return [...bySection]
    .map(([section, { figures, of }]) => `## ${title(section)}\n\n${machineText(of)}\n\n${tableOf(figures)}`)
    .join('\n\n');
}

const title = (section: string) => section.slice(0, 1).toUpperCase() + section.slice(1);

function machineText({ at, quick, machine }: Results): string {
  const { commit, cores, processor, memoryGiB, node, loadBefore }: Machine = machine;
  const where = `${cores} cores of ${processor}, ${memoryGiB} GiB, Node.js ${node.slice(1)}`;
  return `${at.slice(0, 10)}, commit ${commit}, ${where}; load before it ${loadBefore}${quick ? '; **a quick run, which says little**' : ''}.`;
}

function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${readable(figure.value)} ${figure.unit}`,
    figure.peers[0] === undefined ? '' : `${figure.peers[0].name} ${readable(figure.peers[0].value)}`,
    ratioText(figure),
    targetText(figure),
    metText(figure),
    explanations(figure).join('; '),
  ]);
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function newest(): string {
  const whole = readdirSync(OUT).filter((name) => /^\d{4}-.*\.json$/.test(name) && !name.endsWith('-quick.json'));
  const last = whole.toSorted().at(-1);
  if (last === undefined) throw new Error('bench/out/ holds no whole run; run `make bench` first.');
  return join(OUT, last);
}

if (import.meta.main) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : [newest()];
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  const page = withResults(readFileSync(PAGE, 'utf8'), results);
  writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
}
