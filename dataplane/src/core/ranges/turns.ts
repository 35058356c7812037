/** Who appends to which session now, in this process: a later request ends an earlier one, and waits until what came is kept. */

/** A request's hold on a session. */
export interface Turn {
  /** Aborted when another request wants the session. */
  readonly signal: AbortSignal;
  end(): void;
}

export interface Turns {
  /** Ends the present holder, if any, and takes its place. */
  take(uploadId: string): Promise<Turn>;
  /** Ends the present holder. */
  interrupt(uploadId: string): Promise<void>;
}

/** How long an ended request has to keep what it received, in ms; then the fence in the session's record shuts it out. */
const PATIENCE = 5_000;

interface Holder {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export function createTurns(): Turns {
  const holders = new Map<string, Holder>();
  const interrupt = async (uploadId: string): Promise<void> => {
    for (let holder = holders.get(uploadId); holder !== undefined; holder = holders.get(uploadId)) {
      holder.controller.abort();
      await within(holder.ended, PATIENCE);
      if (holders.get(uploadId) === holder) holders.delete(uploadId);
    }
  };
  return {
    interrupt,
    take: async (uploadId) => {
      await interrupt(uploadId);
      const controller = new AbortController();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const holder: Holder = { controller, ended };
      holders.set(uploadId, holder);
      return {
        signal: controller.signal,
        end: () => {
          if (holders.get(uploadId) === holder) holders.delete(uploadId);
          resolve();
        },
      };
    },
  };
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
