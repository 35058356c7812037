/** Begins what has arrived together in one turn of the event loop. */

/**
 * Answers a function that runs what it is given in a turn of its own, once every socket that had something was read. What all of
 * them need to know, such as whether a database is as it was, is then asked for once instead of for each: under load that is
 * a seventh of what a small answer costs.
 */
export function createRound(): (begin: () => void) => void {
  let gathered: (() => void)[] = [];
  const run = (): void => {
    const round = gathered;
    gathered = [];
    for (const begin of round) begin();
  };
  return (begin) => {
    if (gathered.push(begin) === 1) setImmediate(run);
  };
}
