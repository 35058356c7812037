/** What was lately read of a database, for as long as nothing in it changes. */

export interface Remembered<Value> {
  /** The value under `key`, from memory where `read` would answer the same. That there is none is not remembered. */
  find(key: string, read: (key: string) => Value | undefined): Value | undefined;
}

export interface RememberedOptions<Value> {
  /** As `openFreshness` answers it: everything is forgotten when it changes. */
  readonly version: () => number;
  /** What a value takes in memory, in bytes. */
  readonly weigh: (value: Value) => number;
  /** The most that is remembered, in bytes. */
  readonly budget: number;
}

/** What a key and its place in a map take beside the value, in bytes. */
const OVERHEAD = 256;

/** Values are shared among all who ask, so nobody may change one. What was not asked for lately goes first. */
export function openRemembered<Value>({ version, weigh, budget }: RememberedOptions<Value>): Remembered<Value> {
  // Two halves: a full one becomes the old one, and what is asked for again moves over from there.
  let recent = new Map<string, Value>();
  let old = new Map<string, Value>();
  let weight = 0;
  let seen: number | undefined;

  const keep = (key: string, value: Value): Value => {
    weight += weigh(value) + OVERHEAD;
    if (weight > budget / 2) {
      old = recent;
      recent = new Map();
      weight = weigh(value) + OVERHEAD;
    }
    recent.set(key, value);
    return value;
  };
  const forget = (): void => {
    if (recent.size > 0) recent = new Map();
    if (old.size > 0) old = new Map();
    weight = 0;
  };

  return {
    find(key, read) {
      const now = version();
      if (now !== seen) forget();
      seen = now;
      const known = recent.get(key);
      if (known !== undefined) return known;
      const found = old.get(key) ?? read(key);
      return found === undefined ? undefined : keep(key, found);
    },
  };
}
