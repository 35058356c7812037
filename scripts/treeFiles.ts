/** The files that belong to the project: what git tracks, or would track. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Paths from the root of the checkout, sorted; files that git ignores or that were just removed are left out. */
export function treeFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  const paths = new Set(listed.split('\0').filter((path) => path !== '' && existsSync(path)));
  return [...paths].toSorted();
}
