/** What tests of long work look at. */

/** Keeps the thread busy, for ms. */
export function work(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** How many turns of the event loop there were while `go` went on. */
export async function turnsOf(go: () => Promise<unknown>): Promise<number> {
  const state = { turns: 0, over: false };
  const look = () => {
    if (state.over) return;
    state.turns += 1;
    setImmediate(look);
  };
  setImmediate(look);
  await go();
  state.over = true;
  return state.turns;
}
