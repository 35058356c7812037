/**
 * Histograms and counters of prom-client's registry whose observations cost a few additions: what a label's value stands for is looked
 * up once, and the registry's form is made when somebody asks.
 */
import { Counter, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client';

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** The one label that series differ by. */
  readonly label: string;
  /** Upper bounds of the buckets, ascending. */
  readonly buckets: readonly number[];
}

/** Counts one observation. */
export type Observe = (value: number) => void;

interface Series {
  /** By bucket, the last one without bound; each observation counts in one of them. */
  readonly counts: number[];
  sum: number;
}

/** Answers a function that makes the series of a label's value, or finds it. */
export function registerHistogram(registry: Registry, options: HistogramOptions): (value: string) => Observe {
  const { name, help, label, buckets } = options;
  const series = new Map<string, Series>();
  const get = (): Promise<MetricObjectWithValues<MetricValue<string>>> => {
    const values = [...series].flatMap(([value, one]) => valuesOf(one, options, { [label]: value }));
    return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' } as never);
  };
  registry.registerMetric({ name, help, get, reset: () => series.clear() } as never);
  return (value) => {
    const one = series.get(value) ?? { counts: buckets.map(() => 0).concat(0), sum: 0 };
    series.set(value, one);
    return (observed) => {
      let bucket = 0;
      while (bucket < buckets.length && observed > buckets[bucket]!) bucket += 1;
      one.counts[bucket]! += 1;
      one.sum += observed;
    };
  };
}

/** Buckets as Prometheus has them: each holds those below it too. */
function valuesOf({ counts, sum }: Series, { name, buckets }: HistogramOptions, labels: Readonly<Record<string, string>>) {
  let below = 0;
  const ofBuckets = counts.map((count, at) => {
    below += count;
    return { metricName: `${name}_bucket`, labels: { le: buckets[at] ?? '+Inf', ...labels }, value: below };
  });
  return [...ofBuckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: below }];
}

export interface CounterOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

/** Answers a function that makes the series of these labels; what it answers adds to it. Ask once for each. */
export function registerCounter<Label extends string>(
  registry: Registry,
  { name, help, labelNames }: CounterOptions<Label>,
): (labels: Readonly<Record<Label, string>>) => Observe {
  const series: { readonly labels: Readonly<Record<Label, string>>; count: number }[] = [];
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, count } of series) if (count > 0) this.inc(labels, count);
    },
  });
  return (labels) => {
    const one = { labels, count: 0 };
    series.push(one);
    return (more) => void (one.count += more);
  };
}
