/** Figures as text: for a terminal of 100 columns, and for a page of the documentation. */
import { styleText } from 'node:util';
import { isMet, ratioOf, ratios, type Figure, type Target } from './figures.ts';

const WIDTH = 100;
const COLUMNS = [35, 13, 22, 18] as const;

const SIGNS: Readonly<Record<Target['is'], string>> = { 'at least': '≥', 'at most': '≤', below: '<' };

/** Three significant digits, with separated thousands. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `≥ 0.95 ×`, `< 20 ms`; empty without a target. */
export function targetText({ target, unit }: Figure): string {
  if (target === undefined) return '';
  return `${SIGNS[target.is]} ${target.limit} ${target.of === 'ratio' ? '×' : unit}`;
}

/** `yes`, `no`, or nothing. */
export function metText(figure: Figure): string {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'yes' : 'no';
}

/** `1.27 (1.20–1.31)`, of the ratio to the first peer; empty without one. */
export function ratioText(figure: Figure): string {
  const ratio = ratioOf(figure);
  return ratio === undefined ? '' : `${readable(ratio)}${spread(ratios(figure))}`;
}

/** Least and greatest, where there are several. */
export function spread(runs: readonly number[]): string {
  return runs.length < 2 ? '' : ` (${readable(Math.min(...runs))}–${readable(Math.max(...runs))})`;
}

/** What explains a figure, in words. */
export function explanations({ peers, details = [], note, runs }: Figure): readonly string[] {
  return [
    ...(runs.length < 2 ? [] : [`runs${spread(runs)}`.replace(/[()]/g, '')]),
    ...peers
      .slice(1)
      .filter(({ name }) => name !== peers[0]?.name)
      .map(({ name, value }) => `${name} ${readable(value)}`),
    ...details.map(({ name, value, unit }) => `${name} ${readable(value)} ${unit}`.trimEnd()),
    ...(note === undefined ? [] : [note]),
  ];
}

/** The table; with colours only where the stream is a terminal that wants them. */
export function table(figures: readonly Figure[], stream: NodeJS.WriteStream = process.stdout): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) => styleText(style, text, { stream });
  const lines = [paint('bold', row(['', 'measured', 'beside', 'ratio (spread)'], 'target met'))];
  let section = '';
  for (const figure of figures) {
    if (figure.section !== section) lines.push('', paint('bold', figure.section));
    section = figure.section;
    lines.push(...figureLines(figure).map((line) => paintMet(line, figure, paint)));
    lines.push(...wrapped(explanations(figure)).map((line) => paint('dim', line)));
  }
  return lines.join('\n');
}

function figureLines(figure: Figure): readonly string[] {
  const [peer] = figure.peers;
  const beside = peer === undefined ? '' : `${peer.name} ${readable(peer.value)}`;
  const cells = [figure.name, `${readable(figure.value)} ${figure.unit}`, beside, ratioText(figure)];
  const whole = row(cells, '').trimEnd();
  const lines = whole.length <= WIDTH ? [whole] : [`  ${figure.name}`, ...wrapped(cells.slice(1).filter(Boolean))];
  const verdict = metText(figure);
  if (verdict === '') return lines;
  const end = `${targetText(figure)} ${verdict}`;
  const last = lines.at(-1) ?? '';
  if (last.length + 1 + end.length > WIDTH) return [...lines, end.padStart(WIDTH)];
  return [...lines.slice(0, -1), last.padEnd(WIDTH - end.length) + end];
}

function paintMet(line: string, figure: Figure, paint: (style: 'green' | 'red', text: string) => string): string {
  const verdict = metText(figure);
  if (verdict === '' || !line.endsWith(verdict)) return line;
  return line.slice(0, -verdict.length) + paint(verdict === 'yes' ? 'green' : 'red', verdict);
}

/** A cell that is too wide pushes the others on, as far as there is room. */
function row(cells: readonly string[], last: string): string {
  let line = '  ';
  let edge = line.length;
  cells.forEach((cell, index) => {
    line = `${line.padEnd(edge)}${cell} `;
    edge += COLUMNS[index] ?? 0;
  });
  return last === '' ? line : line.trimEnd().padEnd(WIDTH - last.length) + last;
}

function wrapped(parts: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + part.length <= WIDTH) lines[lines.length - 1] = `${last}; ${part}`;
    else lines.push(`      ${part}`);
  }
  return lines;
}
