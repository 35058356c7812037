/** A bounded memory of what was used of late. */

export interface Recent<Value> {
  get(name: string): Value | undefined;
  set(name: string, value: Value): void;
  delete(name: string): void;
}

/** Holds at most `limit` values; the one that was not used for longest goes first. */
export function createRecent<Value>(limit: number): Recent<Value> {
  const kept = new Map<string, Value>();
  const set = (name: string, value: Value): void => {
    kept.delete(name);
    kept.set(name, value);
    const [oldest] = kept.size > limit ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
  };
  return {
    get(name) {
      const value = kept.get(name);
      if (value !== undefined) set(name, value);
      return value;
    },
    set,
    delete: (name) => void kept.delete(name),
  };
}
