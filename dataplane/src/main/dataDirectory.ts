/** Whether the data directory is still the one that this run of Bonded began with. */
import { statSync } from 'node:fs';

/** Answers a function that says why not, or undefined when it is. */
export function watchDataDirectory(data: string): () => string | undefined {
  const mark = markOf(data);
  return () => {
    const now = markOf(data);
    if (now === mark) return undefined;
    return now === undefined ? 'the data directory is gone' : 'another directory stands in the place of the data directory';
  };
}

function markOf(data: string): string | undefined {
  const found = statSync(data, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
