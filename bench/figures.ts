/** What is measured, and how it is shown. */

export interface Peer {
  readonly name: string;
  readonly value: number;
}

/** A figure with what it can be held against, measured in the same run. */
export interface Figure {
  readonly section: string;
  readonly name: string;
  /** Median of the runs. */
  readonly value: number;
  readonly unit: string;
  /** Every run, in order. */
  readonly runs: readonly number[];
  readonly peers: readonly Peer[];
  readonly note?: string;
}

/** The middle of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value that the given share of the numbers does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** Three significant digits, with separated thousands. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The figures as a table for a terminal. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.section,
    figure.name,
    `${readable(figure.value)} ${figure.unit}`,
    `${readable(Math.min(...figure.runs))}–${readable(Math.max(...figure.runs))}`,
    [...figure.peers.map(({ name, value }) => `${readable(figure.value / value)} × ${name} (${readable(value)})`), figure.note ?? '']
      .filter(Boolean)
      .join('; '),
  ]);
  const lines = [['section', 'figure', 'median', 'of runs', 'beside'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => (column < 4 ? cell.padEnd(widths[column] ?? 0) : cell)).join('  ')).join('\n');
}
