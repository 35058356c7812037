/** Large files that are made at once: holes but for their beginning, so no two are alike. */
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Workspace } from '../e2e/src/files.ts';

/** Makes files of `size` bytes each. */
export async function sparseFiles(work: Workspace, count: number, size: number): Promise<readonly string[]> {
  const paths = Array.from({ length: count }, (_, n) => work.at(`large-${size}-${n}`));
  for (const path of paths) {
    const file = await open(path, 'w');
    await file.truncate(size);
    await file.close();
    await freshen(path);
  }
  return paths;
}

/** Changes a file's beginning, so that no store has its bytes. */
export async function freshen(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(randomBytes(32), 0, 32, 0);
  await file.close();
}
