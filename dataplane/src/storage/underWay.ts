/** Knows what is under way, so that closing can wait for it. */

export interface UnderWay {
  /** The same function, whose calls are waited for. */
  tracking<Arguments extends readonly unknown[], Result>(
    perform: (...parameters: Arguments) => Promise<Result>,
  ): (...parameters: Arguments) => Promise<Result>;
  /** Resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

/** Nothing is under way yet. */
export function openUnderWay(): UnderWay {
  const calls = new Set<Promise<unknown>>();
  return {
    tracking(perform) {
      return (...parameters) => {
        const call = perform(...parameters);
        calls.add(call);
        const forget = (): void => void calls.delete(call);
        call.then(forget, forget);
        return call;
      };
    },
    async settled() {
      while (calls.size > 0) await Promise.allSettled(calls);
    },
  };
}
