/**
 * Memory for the parts of all uploads of a process, in small pieces that are used again. A part holds as much as has come of it, and
 * whoever wants more than there is waits for parts that are on their way.
 */
import { openPieces } from './pieces.ts';

/** When nothing was held for so long, the memory is given back, in ms. */
const IDLE_MS = 5_000;

/** Who takes longer to fill a piece keeps nobody waiting, in ms: that is 5 MB/s. */
const SLOW_MS = 50;

/** The pieces of a part that is being filled, in the order in which they were taken. */
export type Filling = readonly Uint8Array[];

export interface PartMemory {
  /**
   * One more piece for a part; what was in it is there still. Up to half of the measure anybody has one at once. Of the rest one part at
   * a time takes what it wants until it is full, the fullest, so that parts leave one after another and not all of them wait half full;
   * the others have their turn where its sender is slow. At the measure it waits for those that are leaving, but while none is it goes
   * on, since waiting would not end.
   */
  take(part: Filling): Promise<Uint8Array>;
  /** The part is leaving: its pieces will come back, or be lost, by themselves. */
  leave(part: Filling): Leaving;
  /** The part never left, and nothing reads it any more. */
  give(part: Filling): void;
}

/** Ends once; whatever is called after that does nothing. */
export interface Leaving {
  /** Nothing reads them any more. */
  readonly back: () => void;
  /** Something may read them still: they are not used again. */
  readonly lost: () => void;
}

interface Waiting {
  readonly part: Filling;
  readonly begin: (piece: Uint8Array) => void;
}

/** Memory of so many pieces; at rest there is none. */
export function openPartMemory(most: number, { idleMs = IDLE_MS, slowMs = SLOW_MS } = {}): PartMemory {
  const pieces = openPieces(most, idleMs);
  const waiting: Waiting[] = [];
  let leaving = 0;
  /** The part that takes what it wants. */
  let ahead: Filling | undefined;
  let slow: NodeJS.Timeout | undefined;

  const mayGoOn = (): boolean => pieces.held < most || leaving === 0;

  function serve(): void {
    while (waiting.length > 0 && pieces.held < most / 2) begin(fullest(waiting));
    if (waiting.length > 0 && mayGoOn()) goAhead();
  }

  function begin(one: Waiting): void {
    waiting.splice(waiting.indexOf(one), 1);
    one.begin(pieces.take());
  }

  function goAhead(): void {
    const one = ahead === undefined ? fullest(waiting) : waiting.find(({ part }) => part === ahead);
    if (one) {
      clearTimeout(slow);
      slow = undefined;
      ahead = one.part;
      begin(one);
    }
    slow ??= setTimeout(passBy, slowMs).unref();
  }

  /** Whoever is ahead is slow: everybody has a turn, and the fullest of them is ahead. */
  function passBy(): void {
    slow = undefined;
    ahead = undefined;
    if (waiting.length === 0 || !mayGoOn()) return;
    ahead = fullest(waiting).part;
    for (const one of [...waiting]) if (mayGoOn()) begin(one);
  }

  function leaves(part: Filling): void {
    if (ahead === part) ahead = undefined;
  }

  return {
    take: (part) =>
      new Promise((resolve) => {
        waiting.push({ part, begin: resolve });
        serve();
      }),
    give(part) {
      leaves(part);
      pieces.give(part);
      serve();
    },
    leave(part) {
      leaves(part);
      leaving += part.length;
      serve();
      return endingOnce((how) => {
        leaving -= part.length;
        pieces[how](part);
        serve();
      });
    },
  };
}

function endingOnce(end: (how: 'give' | 'lose') => void): Leaving {
  let ended = false;
  const once = (how: 'give' | 'lose') => () => {
    if (ended) return;
    ended = true;
    end(how);
  };
  return { back: once('give'), lost: once('lose') };
}

/** Of several that are equally full, the one that has waited longest. */
function fullest(waiting: readonly Waiting[]): Waiting {
  return waiting.reduce((best, one) => (one.part.length > best.part.length ? one : best));
}
