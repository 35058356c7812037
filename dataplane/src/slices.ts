/** Long work on the event loop, cut into slices: of all such work in the process, one slice in each turn, the rest of it is everyone's. */

/** How long a slice may last, in ms: less than a small request costs, since each of its steps may have to wait for one. */
const SLICE_MS = 0.4;

export interface Slices {
  /** True once this slice has lasted long enough. */
  due(): boolean;
  /** Resolves when the next slice may begin, in a later turn: work that waits is served in the order in which it began to. */
  next(): Promise<void>;
}

/** Begins to cut work: the first slice is now. Ask `due` after every step that takes microseconds. */
export function startSlices(): Slices {
  let began = performance.now();
  return {
    due: () => performance.now() - began > SLICE_MS,
    async next() {
      await nextSlice();
      began = performance.now();
    },
  };
}

const waiting: (() => void)[] = [];

/** Resolves in a turn of the event loop in which nothing else that asked for one has its slice. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  const resume = waiting.shift();
  if (waiting.length > 0) setImmediate(takeTurn);
  resume?.();
}

/** `items.map(work)` in slices. */
export async function mapInSlices<In, Out>(items: readonly In[], work: (item: In, index: number) => Out): Promise<Out[]> {
  const slices = startSlices();
  const results: Out[] = [];
  for (const [index, item] of items.entries()) {
    if (slices.due()) await slices.next();
    results.push(work(item, index));
  }
  return results;
}
