/** How a round goes: when and how the server is killed, and how it comes back. */
import type { Random } from './random.ts';
import type { Start } from './instance.ts';

/**
 * - `moment`: at some time. `request`: just after a request is on its way. `answer`: in the moment that an answer arrives.
 * - `collection`: during a round of collection. `drain`: while it stops as it was asked to.
 */
export type Aim = 'moment' | 'request' | 'answer' | 'collection' | 'drain';

export interface Plan {
  readonly aim: Aim;
  /** Only requests count that end an upload: they are few, and each changes much at once. */
  readonly ends: boolean;
  /** Requests or answers that come before the kill. */
  readonly nth: number;
  /** From the aim to the kill, in ms. */
  readonly delay: number;
  /** The aim is given up after this time, in ms. */
  readonly patience: number;
  /** Kills one worker first, so long before, in ms. */
  readonly worker?: number;
  /** The server is killed again while it starts, after so many ms each time. */
  readonly startKills: readonly number[];
  /** How the server comes back. */
  readonly start: Omit<Start, 'ahead'>;
  /** Its clock jumps ahead, in ms. */
  readonly jump: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Chooses a plan. `workers`: of the server that runs now; `slow`: each request takes many others, to an S3 server. */
export function choosePlan(random: Random, { workers, slow }: { readonly workers: number; readonly slow: boolean }): Plan {
  const aim = random.weighted<Aim>({ moment: 25, request: 30, answer: 30, collection: 20, drain: 6 });
  const ends = (aim === 'request' || aim === 'answer') && random.chance(0.5);
  const most = slow ? 50 : 120;
  return {
    aim,
    ends,
    nth: random.between(1, ends ? 3 : most),
    delay: delayOf(random, aim, slow),
    patience: slow ? 10_000 : 2500,
    ...(workers > 1 && random.chance(0.35) ? { worker: random.between(5, 250) } : {}),
    startKills: random.chance(0.15) ? Array.from({ length: random.between(1, 2) }, () => random.between(0, 900)) : [],
    start: chooseStart(random),
    jump: chooseJump(random),
  };
}

/** One worker mostly, since several take longer to start. */
export function chooseStart(random: Random): Omit<Start, 'ahead'> {
  return { workers: random.chance(0.35) ? 2 : 1, collectEvery: random.pick([60, 150, 400]) };
}

function delayOf(random: Random, aim: Aim, slow: boolean): number {
  switch (aim) {
    case 'moment':
      return random.between(5, slow ? 5000 : 500);
    case 'request':
      return random.between(0, slow ? 100 : 10);
    case 'answer':
      return 0;
    case 'collection':
      return random.between(0, 12);
    case 'drain':
      return random.between(0, 200);
  }
}

/** More than the grace time of an hour in half of the cases, so that what was left is old enough to be collected. */
function chooseJump(random: Random): number {
  const jump = random.weighted({ none: 45, grace: 40, hours: 15 });
  if (jump === 'none') return 0;
  return jump === 'grace' ? random.between(61 * MINUTE, 75 * MINUTE) : random.between(3 * HOUR, 12 * HOUR);
}
