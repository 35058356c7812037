/** Chance that can be had again: every choice of a run comes from its seed. (The moments of requests do not.) */
import { createHash } from 'node:crypto';

export interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** True in this share of cases, 0 to 1. */
  chance(share: number): boolean;
  /** One of a list that is not empty. */
  pick<Of>(list: readonly Of[]): Of;
  /** One of the names, in proportion to its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  /** Another source, whose choices do not depend on how many were made here. */
  child(name: string): Random;
}

/** A source of chance (xorshift of 128 bits); the same seed gives the same choices. */
export function seeded(seed: string): Random {
  const state = new Uint32Array(4);
  const digest = createHash('sha256').update(seed).digest();
  for (let at = 0; at < 4; at += 1) state[at] = digest.readUInt32LE(at * 4);
  const next = (): number => {
    let last = state[3]!;
    const first = state[0]!;
    state.copyWithin(1, 0, 3);
    last ^= last << 11;
    last ^= last >>> 8;
    state[0] = last ^ first ^ (first >>> 19);
    return state[0];
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (share) => next() / 2 ** 32 < share,
    pick: (list) => list[below(list.length)]!,
    weighted(weights) {
      const entries = Object.entries<number>(weights);
      let rest = below(entries.reduce((sum, [, weight]) => sum + weight, 0));
      const found = entries.find(([, weight]) => (rest -= weight) < 0);
      return (found ?? entries[0]!)[0] as keyof typeof weights;
    },
    child: (name) => seeded(`${seed}/${name}`),
  };
}
