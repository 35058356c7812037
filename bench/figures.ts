/** What is measured, what it is held against, and whether that is reached. */

/** A limit or another server, measured in the same run. */
export interface Peer {
  readonly name: string;
  /** Median of its runs. */
  readonly value: number;
  /** Each run, paired with the figure's run of the same round. */
  readonly runs?: readonly number[];
}

/** What is promised of a figure: of its ratio to the first peer, or of the value itself. */
export interface Target {
  readonly of: 'ratio' | 'value';
  readonly is: 'at least' | 'at most' | 'below';
  readonly limit: number;
}

/** A number that explains the figure. */
export interface Detail {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** A figure with what it can be held against, measured in the same run. */
export interface Figure {
  readonly section: string;
  readonly name: string;
  /** Median of the runs, unless the name says otherwise. */
  readonly value: number;
  readonly unit: string;
  /** Every run, in order. */
  readonly runs: readonly number[];
  /** The first one is what the ratio is to. */
  readonly peers: readonly Peer[];
  readonly target?: Target;
  readonly details?: readonly Detail[];
  readonly note?: string;
}

/** A section's measurement, as `run.ts` calls it. */
export type Measure = (run: Run) => Promise<readonly Figure[]>;

/** What a section is told. */
export interface Run {
  /** Fewer and smaller runs: to see that it works, not what it is worth. */
  readonly quick: boolean;
  /** How many rounds a section makes, each with all its parties one after another. */
  readonly rounds: number;
  /** A folder that outlives the run, for what is dear to make. */
  readonly cache: string;
  /** Tells whoever waits. */
  readonly say: (text: string) => void;
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

/** A peer out of its runs. */
export function peerOf(name: string, runs: readonly number[]): Peer {
  return { name, value: median(runs), runs };
}

/** Ratio to the first peer in each round, so that what slows a whole round down counts for both; one of medians where runs are not paired. */
export function ratios({ value, runs, peers: [peer] }: Pick<Figure, 'value' | 'runs' | 'peers'>): readonly number[] {
  if (peer === undefined) return [];
  if (peer.runs?.length !== runs.length) return [value / peer.value];
  return runs.map((run, round) => run / (peer.runs?.[round] ?? NaN));
}

/** Median of the ratios; undefined where there is nothing beside the figure. */
export function ratioOf(figure: Figure): number | undefined {
  return figure.peers.length === 0 ? undefined : median(ratios(figure));
}

/** Whether the figure keeps its target; undefined where it has none. What could not be measured keeps none. */
export function isMet(figure: Figure): boolean | undefined {
  const { target } = figure;
  if (target === undefined) return undefined;
  const measured = target.of === 'ratio' ? (ratioOf(figure) ?? NaN) : figure.value;
  if (target.is === 'at least') return measured >= target.limit;
  return target.is === 'at most' ? measured <= target.limit : measured < target.limit;
}
