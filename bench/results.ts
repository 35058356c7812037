/** What a run leaves in bench/out/. */
import { isMet, ratioOf, ratios, type Figure } from './figures.ts';

export interface Machine {
  readonly commit: string;
  /** Load average before the first measurement. */
  readonly loadBefore: number;
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
}

export interface Results {
  /** ISO time. */
  readonly at: string;
  /** True for a run that only shows that everything works. */
  readonly quick: boolean;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

/** The results with what follows from them, for readers that do not know how: `ratio`, `ratios`, `met`. */
export function documentOf(results: Results): Results {
  return {
    ...results,
    figures: results.figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), ratios: ratios(figure), met: isMet(figure) })),
  };
}
