/** Which folders of a listing may hold tombstones only, told by the graves. */
import type { Graves } from './graves.ts';
import { namePrefix } from './names.ts';

/** Pages of graves that a scan reads; what lies beyond them is in doubt. */
const PAGES = 3;
const PAGE = 1000;

/** True for a prefix of keys under which there is a tombstone, or may be. */
export type InDoubt = (prefix: string) => boolean;

/** Looks at the graves of keys that begin with `prefix`, from the first key `from` on. */
export async function readDoubts(graves: Graves, prefix: string, from: string): Promise<InDoubt> {
  const start = { prefix: namePrefix(prefix), ...(namePrefix(from) > namePrefix(prefix) && { after: namePrefix(from) }) };
  const folders = new Set<string>();
  let token: string | undefined;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const page = await graves.list({ ...start, delimiter: '/', limit: PAGE, ...(token !== undefined && { token }) });
    for (const folder of page.folders) folders.add(folder);
    token = page.token;
    if (token === undefined) return (collapsed) => holds(folders, namePrefix(collapsed));
  }
  const last = [...folders].at(-1) ?? '';
  return (collapsed) => holds(folders, namePrefix(collapsed)) || namePrefix(collapsed) >= last;
}

/** The folder itself, or one that it is in: cut names make folders within folders. */
function holds(folders: ReadonlySet<string>, folder: string): boolean {
  for (let end = folder.indexOf('/'); end >= 0; end = folder.indexOf('/', end + 1)) if (folders.has(folder.slice(0, end + 1))) return true;
  return false;
}
