/** `GET /api/v1/journal`: what changed, oldest first, for whoever administers the bucket or the installation. */
import type { Core, JournalEntry } from '../../core/core.ts';
import type { Call } from '../contract.ts';
import { findBucket } from './bucketView.ts';
import { administer, INSTALLATION } from './demands.ts';
import { digits, matching, optional, withDefault } from './fields.ts';
import { json } from './json.ts';
import { bucketName } from './parameters.ts';
import { row } from './row.ts';

interface JournalParams {
  readonly after?: string;
  readonly bucket?: string;
  readonly limit: number;
}

/** Ids of entries and what may stand for the beginning of time: `0` is less than every id. */
const ID = matching(/^[0-9A-Z]{1,26}$/, 26, "the 'next' of an earlier answer, or 0 for the beginning");
const BEGINNING = '0';

/** With `bucket`, one request looks at this many entries of the whole journal at most. */
const MAX_LOOKED_AT = 10_000;
const PAGE = 1000;

export const readJournal = row<JournalParams>({
  name: 'admin.ReadJournal',
  method: 'GET',
  path: '/api/v1/journal',
  fields: { after: optional(ID), bucket: optional(bucketName), limit: withDefault(100, digits(1, 1000)) },
  // S3's word for who may see what its access logs hold
  demands: ({ bucket }) => [bucket === undefined ? INSTALLATION : administer(bucket, 's3:GetBucketLogging')],
  async handle(call, core) {
    const { after } = call.params;
    const { entries, next } = after === undefined ? await newest(call, core) : await following(after, call, core);
    return json(200, { entries, next: next ?? after ?? BEGINNING });
  },
});

interface Page {
  readonly entries: readonly JournalEntry[];
  /** Id of the last entry looked at: undefined when there was none. */
  readonly next?: string;
}

/** The newest entries that concern the question, among the newest of all. */
async function newest(call: Call<JournalParams>, core: Core): Promise<Page> {
  const { bucket, limit } = call.params;
  const entries = await core.journal.read({ tail: true, limit: bucket === undefined ? limit : MAX_LOOKED_AT });
  const shown = entries.filter(await shownTo(call, core));
  return { entries: shown.slice(-limit), next: entries.at(-1)?.id };
}

async function following(after: string, call: Call<JournalParams>, core: Core): Promise<Page> {
  const { bucket, limit } = call.params;
  const size = bucket === undefined ? limit : PAGE;
  const shows = await shownTo(call, core);
  const entries: JournalEntry[] = [];
  let next = after;
  for (let lookedAt = 0; entries.length < limit && lookedAt < MAX_LOOKED_AT; lookedAt += size) {
    call.signal.throwIfAborted();
    const page = await core.journal.read({ after: next, limit: size });
    entries.push(...page.filter(shows).slice(0, limit - entries.length));
    // a full answer ends at its last entry: what comes after it is for the next request
    next = (entries.length === limit ? entries : page).at(-1)?.id ?? next;
    if (page.length < size) break;
  }
  return { entries, next };
}

/** Entries of the bucket asked for, since it exists: what an earlier bucket of the same name saw may be another team's. */
async function shownTo(call: Call<JournalParams>, core: Core): Promise<(entry: JournalEntry) => boolean> {
  const { bucket: name } = call.params;
  if (name === undefined) return () => true;
  if (call.may(INSTALLATION)) return (entry) => entry.bucket === name;
  const bucket = findBucket(call.snapshot, name);
  const since = bucket ? await core.configuration.bucketCreated(bucket) : Infinity;
  return (entry) => entry.bucket === name && Date.parse(entry.time) >= since;
}
