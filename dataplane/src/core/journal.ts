/** The journal: one appended record per change. The audit log, search and events are readers of it. */
import type { Change, Json } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import type { Journal, JournalEntry } from './core.ts';
import { timePrefix } from './ids.ts';
import { keys } from './keys.ts';

/** What happened, before it gets its id and time. */
export type Happening = Omit<JournalEntry, 'id' | 'time'>;

/** The change that appends an entry: it goes in the batch of the change that it tells of, behind it. */
export function journalChange(context: CoreContext, happening: Happening): Change {
  const id = context.order.next();
  const value = { id, time: new Date(context.now()).toISOString(), ...happening };
  return { put: keys.journal(id), value: value as unknown as Json, ifAbsent: true };
}

/** The journal over all storage locations, merged by id. */
export function createJournal(context: CoreContext): Journal {
  const [first] = context.stores.values();
  return {
    resume: async () => {
      for (const store of context.stores.values()) context.order.startAfter(await latestAhead(context, store));
    },
    append: async (happening) => void (await first?.records.write([journalChange(context, happening)])),
    read: async ({ after, limit, tail }) => {
      const pages = await Promise.all(
        [...context.stores.values()].map((store) => (tail === true ? readTail(context, store, limit) : readFrom(store, after, limit))),
      );
      const entries = pages.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
      return tail === true ? entries.slice(-limit) : entries.slice(0, limit);
    },
  };
}

type OneStore = NonNullable<ReturnType<CoreContext['stores']['get']>>;

/** The time of the newest entry that is later than now, in ms; 0 when none is. */
async function latestAhead(context: CoreContext, store: OneStore): Promise<number> {
  const isAfter = async (ms: number): Promise<boolean> => (await readFrom(store, timePrefix(ms), 1)).length > 0;
  let low = Math.floor(context.now());
  if (!(await isAfter(low))) return 0;
  let span = FIRST_LOOK;
  for (; await isAfter(low + span); span *= 2) low += span;
  for (; span > 1; span = Math.ceil(span / 2)) if (await isAfter(low + Math.floor(span / 2))) low += Math.floor(span / 2);
  return low + 1;
}

async function readFrom(store: OneStore, after: string | undefined, limit: number): Promise<readonly JournalEntry[]> {
  const page = await store.records.scan({ prefix: keys.journals, limit, ...(after === undefined ? {} : { after: keys.journal(after) }) });
  return page.flatMap((item) => ('value' in item ? [item.value as unknown as JournalEntry] : []));
}

/** How far back the search for the newest entries starts, in ms; each further step looks eight times as far. */
const FIRST_LOOK = 10_000;
const PAGE = 1000;

/** The newest entries: records are scanned forwards only, so it looks back over growing spans until there are enough. */
async function readTail(context: CoreContext, store: OneStore, limit: number): Promise<readonly JournalEntry[]> {
  for (let span = FIRST_LOOK; ; span *= 8) {
    const start = context.now() - span;
    const entries = await readAll(store, start > 0 ? timePrefix(start) : undefined, limit);
    if (entries.length >= limit || start <= 0) return entries;
  }
}

/** Everything after `after`, keeping only the newest `keep`. */
async function readAll(store: OneStore, after: string | undefined, keep: number): Promise<readonly JournalEntry[]> {
  let newest: readonly JournalEntry[] = [];
  for (let from = after; ;) {
    const page = await readFrom(store, from, PAGE);
    newest = [...newest, ...page].slice(-keep);
    if (page.length < PAGE) return newest;
    from = page.at(-1)!.id;
  }
}
