/** What really lies in a storage location, looked at from outside: files, rows, objects. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Backend } from '../../s3-backend/backend.ts';

export interface Holdings {
  /** Sizes of stored blobs, by whatever they are called there. */
  readonly blobs: ReadonlyMap<string, number>;
  /** Names of what is neither a blob nor a record: bytes on their way, graves. */
  readonly others: readonly string[];
  /** Keys of all records. */
  readonly records: readonly string[];
}

/** Reads a data directory, by the layout that docs/running.md tells; the server may be running. */
export function readDirectory(dataFolder: string): Holdings {
  const objects = join(dataFolder, 'objects');
  const blobs = new Map<string, number>();
  for (const path of filesUnder(join(objects, 'blobs'))) {
    const size = unlessGone(() => statSync(path).size);
    if (size !== undefined) blobs.set(path, size);
  }
  const database = new DatabaseSync(join(objects, 'records.sqlite'), { readOnly: true });
  try {
    for (const { id, size } of database.prepare('SELECT id, length(bytes) AS size FROM blobs').iterate())
      blobs.set(`row ${String(id)}`, Number(size));
    const records = database.prepare('SELECT key FROM records').all();
    return { blobs, others: filesUnder(join(objects, 'incoming')), records: records.map(({ key }) => String(key)) };
  } finally {
    database.close();
  }
}

function filesUnder(folder: string): readonly string[] {
  const entries = unlessGone(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The collector removes things while they are looked at. */
function unlessGone<Of>(look: () => Of): Of | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Where the objects of a location in a bucket begin: `storageIn` of e2e/s3-backend says so. */
const PREFIX = 'bonded/';

/** What the driver takes away in its own time, which is the S3 server's: tombstones' graves, and what probes left. */
const SWEPT = ['graves/', 'probe/'];

/** Reads a bucket of an S3 server. Of its records those are told that are no tombstones: docs/storage-s3.md says how sizes tell. */
export async function readBucket({ client }: Backend, bucket: string): Promise<Holdings> {
  const objects = (await objectsOf(client, bucket)).map(({ name, size }) => ({ name: name.slice(PREFIX.length), size }));
  const isUnder = (folders: readonly string[]) => (one: { readonly name: string }) => folders.some((folder) => one.name.startsWith(folder));
  const records = objects.filter(isUnder(['records/'])).filter(({ size }) => size % 2 === 0);
  const isKnown = isUnder(['blobs/', 'records/', ...SWEPT]);
  return {
    blobs: new Map(objects.filter(isUnder(['blobs/'])).map(({ name, size }) => [name, size])),
    others: objects.filter((one) => !isKnown(one)).map(({ name }) => name),
    records: records.map(({ name }) => name.slice('records/'.length)),
  };
}

async function objectsOf(client: Backend['client'], Bucket: string): Promise<readonly { readonly name: string; readonly size: number }[]> {
  const found: { readonly name: string; readonly size: number }[] = [];
  for (let token: string | undefined; ;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...(token !== undefined && { ContinuationToken: token }) }));
    for (const { Key, Size } of page.Contents ?? []) found.push({ name: String(Key), size: Number(Size) });
    token = page.NextContinuationToken;
    if (page.IsTruncated !== true) return found;
  }
}
