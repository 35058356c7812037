/** The store in an S3 bucket, which any number of processes and machines may share with no other tie between them. */
import { aroundStore } from '../around.ts';
import type { BlobId, Presign, Store } from '../contract.ts';
import { openUnderWay } from '../underWay.ts';
import { BLOBS } from './blobNames.ts';
import { openS3Blobs, type S3BlobsOptions } from './blobs.ts';
import { openCache } from './cache.ts';
import { openCheck } from './check.ts';
import { openClient, type S3Place } from './client.ts';
import { translate, unavailable } from './failure.ts';
import { openGraves } from './graves.ts';
import { removeLate } from './late.ts';
import { openMultipart, type Multipart } from './multipart.ts';
import { openObjects } from './objects.ts';
import { openLanes } from './parallel.ts';
import { openPartMemory } from './partMemory.ts';
import { openBudget, repeated, type Patience } from './patience.ts';
import { smallPayload, startPayloadHash } from './payload.ts';
import { PIECE } from './pieces.ts';
import { openPresign } from './presign.ts';
import { probe, sweepProbes } from './probe.ts';
import { openRecordObjects } from './recordObjects.ts';
import { openS3Records } from './records.ts';
import { startSweeping, sweep } from './sweep.ts';
import { putWhole } from './upload.ts';

export interface S3StoreOptions extends S3Place {
  /** What messages call this location; default `default`. */
  readonly name?: string;
  /** File of the cache, which the processes of one machine share; without one it is in memory. */
  readonly cacheFile?: string;
  /** Prefixes of keys whose records are never changed, only made and deleted: known ones are read without asking. */
  readonly immutable?: readonly string[];
  /** `probeS3` has passed for this place, so it is not probed again. */
  readonly proved?: boolean;
  readonly terms?: Partial<S3Terms>;
}

/** Times in ms, sizes in bytes. */
export interface S3Terms {
  /** Nothing is repeated for longer. */
  readonly deadlineMs: number;
  /** A request for a small object that takes longer is given up, and made again. */
  readonly requestMs: number;
  /** Size of an upload's first parts; S3 wants 5 MiB at least. */
  readonly partBytes: number;
  /** So many parts of the first size are on their way at once in one process, or fewer that are larger. */
  readonly parallelParts: number;
  /** A deleted record's tombstone stands this long: much longer than a request may be under way. */
  readonly tombstoneMs: number;
  /** A seal older than this may be written over, and nothing that was given up arrives any more: longer than servers take a signed request. */
  readonly sealMs: number;
  /** An upload in parts that was begun longer ago was left by a process that died. */
  readonly strayUploadMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MIB = 1024 * 1024;

const TERMS: S3Terms = {
  deadlineMs: 30_000,
  requestMs: 10_000,
  partBytes: 5 * MIB,
  parallelParts: 4,
  tombstoneMs: 2 * HOUR,
  sealMs: HOUR,
  strayUploadMs: 7 * 24 * HOUR,
};

/** Connections for requests that are answered at once. */
const SMALL_REQUESTS = 256;
/** Connections for content: slow readers hold theirs for long, and must not be in the way of anything else. */
const TRANSFERS = Infinity;

/** What names may be longer by, under S3's limit of 1,024 bytes. */
const LONGEST_PREFIX = 100;

export interface S3Store extends Store {
  readonly presign: Presign;
  /** Removes old tombstones, blobs that arrived late, and uploads and probes that were left behind. It happens by itself, now and then. */
  sweep(): Promise<void>;
}

/**
 * Opens the store in a bucket, which is probed first. Throws `Unavailable` with the reason when it cannot be used.
 */
export async function openS3Store(options: S3StoreOptions): Promise<S3Store> {
  const terms = { ...TERMS, ...options.terms };
  const rooms = openRooms(options, terms);
  try {
    if (options.proved !== true) await probe(rooms);
    return assemble(rooms, options, terms);
  } catch (thrown) {
    rooms.destroy();
    throw translate(thrown, rooms.location);
  }
}

/**
 * Throws `Unavailable` with the reason when the bucket cannot be used, or when the server does not keep what records need: atomic
 * conditional writes, listings in the order of bytes that show what was just written.
 */
export async function probeS3(options: S3StoreOptions): Promise<void> {
  const rooms = openRooms(options, { ...TERMS, ...options.terms });
  try {
    await probe(rooms);
  } finally {
    rooms.destroy();
  }
}

/** Connects to nothing yet. */
function openRooms(options: S3StoreOptions, terms: S3Terms): Rooms {
  const location = options.name ?? 'default';
  if (Buffer.byteLength(options.prefix) > LONGEST_PREFIX)
    throw unavailable(location, `its prefix has more than ${LONGEST_PREFIX} bytes; choose a shorter one`);
  const client = openClient(options, SMALL_REQUESTS);
  const transfers = openClient(options, TRANSFERS);
  const patience: Patience = { location, budget: openBudget(), deadlineMs: terms.deadlineMs };
  return {
    ...patience,
    client: transfers,
    place: options,
    objects: openObjects(client, options, terms.requestMs),
    multipart: openMultipart(transfers, options),
    destroy() {
      client.destroy();
      transfers.destroy();
    },
  };
}

interface Rooms extends Patience, Pick<S3BlobsOptions, 'client' | 'place' | 'objects' | 'multipart'> {
  /** Closes all connections. */
  destroy(): void;
}

function assemble(rooms: Rooms, options: S3StoreOptions, terms: S3Terms): S3Store {
  const { client, objects, multipart, location } = rooms;
  let closing: Promise<void> | undefined;
  const stillOpen = (): void => {
    if (closing) throw unavailable(location, 'it is closed');
  };
  const cache = openCache(`${options.endpoint ?? ''}/${options.bucket}/${options.prefix}`, options.cacheFile);
  const graves = openGraves(rooms);
  const records = openRecordObjects({ ...rooms, cache, immutable: options.immutable ?? [] });
  const { partBytes, parallelParts } = terms;
  const uploading = {
    ...rooms,
    partBytes,
    lanes: openLanes(parallelParts),
    memory: openPartMemory(Math.ceil((parallelParts * partBytes) / PIECE)),
    startHash: () => startPayloadHash(options.endpoint),
  };
  const room = { ...uploading, ...terms, records, graves, stillOpen, list: listRepeatedly(rooms) };
  const putSmall = async (id: BlobId, bytes: Uint8Array) => void (await putWhole(uploading, id, smallPayload(bytes)));
  const underWay = openUnderWay();
  const check = openCheck(objects, location);
  const presign = openPresign(client, options, location);
  const sweepAll = async (signal?: AbortSignal): Promise<void> => {
    await sweep(room, signal);
    await removeLate(room, signal);
    await abortStrays(rooms, multipart, terms.strayUploadMs);
    await sweepProbes(rooms);
  };
  const stopSweeping = startSweeping(sweepAll);

  async function close(): Promise<void> {
    await stopSweeping();
    await underWay.settled();
    cache.close();
    rooms.destroy();
  }

  const store = {
    blobs: openS3Blobs(room),
    records: openS3Records({ ...room, putSmall }),
    async check() {
      stillOpen();
      await check();
    },
    close: () => (closing ??= close()),
  };
  return {
    // A reader takes its time: it is not waited for.
    ...aroundStore(store, { call: (_, work) => underWay.tracking(work)() }),
    presign,
    async sweep() {
      stillOpen();
      await underWay.tracking(sweepAll)();
    },
  };
}

function listRepeatedly(rooms: Rooms) {
  return async (query: Parameters<Rooms['objects']['list']>[0]) => {
    try {
      return await repeated(rooms, () => rooms.objects.list(query));
    } catch (thrown) {
      throw translate(thrown, rooms.location);
    }
  };
}

/** Bytes of an upload that nobody completes any more cost money and are in no listing of objects. */
async function abortStrays(patience: Patience, multipart: Multipart, olderThan: number): Promise<void> {
  const open = await repeated(patience, () => multipart.open(BLOBS));
  for (const { name, uploadId, begun } of open) {
    if (Date.now() - begun > olderThan) await repeated(patience, () => multipart.abort(name, uploadId));
  }
}
