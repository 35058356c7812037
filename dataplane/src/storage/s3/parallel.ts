/** Does work on many things, some at a time. */

/** Begins work on each, in order and at most `limit` at a time; answers a promise for each. None of them is left unhandled. */
export function pooled<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): readonly Promise<R>[] {
  const lanes = openLanes(limit);
  return items.map((item) => {
    const done = lanes.run(() => work(item));
    done.catch(() => undefined);
    return done;
  });
}

export interface Lanes {
  /** Waits for a lane (or for so many, at most all), works, and frees them. First come, first served. */
  run<R>(work: () => Promise<R>, lanes?: number): Promise<R>;
}

interface Waiting {
  readonly lanes: number;
  readonly begin: () => void;
}

/** As many lanes as `limit` says. */
export function openLanes(limit: number): Lanes {
  const waiting: Waiting[] = [];
  let free = limit;

  function beginNext(): void {
    for (let next = waiting[0]; next !== undefined && next.lanes <= free; next = waiting[0]) {
      free -= next.lanes;
      waiting.shift();
      next.begin();
    }
  }

  return {
    async run(work, wanted = 1) {
      const lanes = Math.min(wanted, limit);
      await new Promise<void>((begin) => {
        waiting.push({ lanes, begin });
        beginNext();
      });
      try {
        return await work();
      } finally {
        free += lanes;
        beginNext();
      }
    },
  };
}
