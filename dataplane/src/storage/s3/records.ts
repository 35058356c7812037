/** Records as objects of an S3 bucket: one each, changed by conditional writes. */
import { ArtefactError } from '../../errors.ts';
import type { Change, Records, Revision } from '../contract.ts';
import { checkChanges, checkKey, checkScan, groupsOf, type PlacedChange } from '../limits.ts';
import { newNonce } from './body.ts';
import { deleteRecord, putRecord, type Changing, type Made } from './changes.ts';
import type { Graves } from './graves.ts';
import { nameOf } from './names.ts';
import { pooled } from './parallel.ts';
import { entryOf, scanRecords, type Scanning } from './scan.ts';

export interface S3RecordsOptions extends Changing, Scanning {
  readonly graves: Graves;
  /** Stores a blob of a batch; throws `Conflict` when its id has bytes. */
  readonly putSmall: (id: string, bytes: Uint8Array) => Promise<void>;
  /** Throws when the store is closed. */
  readonly stillOpen: () => void;
}

/** Changes that are made at once, where they have no order; and graves that are dug at once, ahead of a batch's deletes. */
const AT_ONCE = 32;

/** Records over the objects of a place. Batches are ordered and not transactional: what stands before a lost change has happened. */
export function openS3Records(options: S3RecordsOptions): Records {
  const { records, stillOpen } = options;
  return {
    async get(key) {
      stillOpen();
      checkKey(key);
      return entryOf(await records.readKnown(key));
    },
    recall(key) {
      stillOpen();
      checkKey(key);
      return entryOf(records.lastSeen(key));
    },
    async scan(query) {
      stillOpen();
      checkScan(query);
      return scanRecords(options, query);
    },
    async write(changes) {
      stillOpen();
      checkChanges(changes);
      // The caller may change values and buffers afterwards.
      return writeBatch(options, changes.map(copied));
    },
  };
}

function copied(change: Change): Change {
  if ('blob' in change) return { ...change, bytes: new Uint8Array(change.bytes) };
  return 'put' in change ? { ...change, value: JSON.parse(JSON.stringify(change.value)) as typeof change.value } : { ...change };
}

type Delete = Extract<Change, { delete: string }>;

/** A delete with the nonce of its tombstone, whose grave is being dug. */
interface Burial {
  readonly change: Delete;
  readonly nonce: string;
  readonly dug: Promise<void>;
}

async function writeBatch(room: S3RecordsOptions, changes: readonly Change[]): Promise<readonly Revision[]> {
  const burials = beginBurials(room, changes);
  const revisions: Revision[] = [];
  try {
    for (const group of groupsOf(changes)) revisions.push(...(await makeGroup(room, group, burials)));
    return revisions;
  } finally {
    // The deletes that were not reached; the sweep fills what cannot be filled now.
    for (const { change, nonce, dug } of burials.values())
      dug.then(() => room.graves.fill({ record: nameOf(change.delete), nonce })).catch(() => undefined);
  }
}

/** Makes changes that have no order. What fails is told when all others have ended. */
async function makeGroup(
  room: S3RecordsOptions,
  group: readonly PlacedChange[],
  burials: Map<Delete, Burial>,
): Promise<readonly Revision[]> {
  const making = pooled(group, AT_ONCE, async ({ change, index }) => {
    const burial = 'delete' in change ? burials.get(change) : undefined;
    const revision = await makeChange(room, change, { index, burial });
    if (burial) burials.delete(burial.change);
    return revision;
  });
  await Promise.allSettled(making);
  return Promise.all(making);
}

function beginBurials({ graves }: S3RecordsOptions, changes: readonly Change[]): Map<Delete, Burial> {
  const named = changes.flatMap((change) => ('delete' in change ? [{ change, nonce: newNonce() }] : []));
  const digging = pooled(named, AT_ONCE, ({ change, nonce }) => graves.dig(change.delete, nonce));
  return new Map(named.map(({ change, nonce }, index) => [change, { change, nonce, dug: digging[index] ?? Promise.resolve() }]));
}

async function makeChange(
  room: S3RecordsOptions,
  change: Change,
  { index, burial }: { readonly index: number; readonly burial: Burial | undefined },
): Promise<Revision> {
  if ('blob' in change) return storeBlob(room, change, index);
  const made = burial ? await bury(room, burial) : await putRecord(room, change as Extract<Change, { put: string }>);
  if (made === 'lost') throw conflict(index);
  return made.revision;
}

async function bury(room: S3RecordsOptions, { change, nonce, dug }: Burial): Promise<Made> {
  await dug;
  const made = await deleteRecord(room, change, nonce);
  if (made !== 'nothing') return made;
  await room.graves.fill({ record: nameOf(change.delete), nonce });
  return { revision: '' };
}

async function storeBlob(room: S3RecordsOptions, { blob, bytes }: Extract<Change, { blob: string }>, index: number): Promise<Revision> {
  try {
    await room.putSmall(blob, bytes);
    return '';
  } catch (thrown) {
    if (thrown instanceof ArtefactError && thrown.code === 'Conflict') throw conflict(index);
    throw thrown;
  }
}

function conflict(index: number): ArtefactError {
  return new ArtefactError('Conflict', 'Another change came first; read again and retry.', { details: { change: index } });
}
