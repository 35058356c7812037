/** Bonded itself as the S3 server that the driver keeps its objects in: a house over a store in memory, on a port of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../../src/config/settings.ts';
import { startHouse } from '../../../src/main/house.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import type { S3StoreOptions } from '../../../src/storage/s3/store.ts';
import { openObjects, type Objects } from '../../../src/storage/s3/objects.ts';
import { openClient } from '../../../src/storage/s3/client.ts';
import { openMultipart, type Multipart } from '../../../src/storage/s3/multipart.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { environmentIn, ownerOf, rootKey } from '../../main/rig.ts';

const MIB = 1024 * 1024;

export interface BondedBackend {
  readonly endpoint: string;
  /** A new bucket, as the options of a store in it. */
  newPlace(terms?: S3StoreOptions['terms']): Promise<S3StoreOptions>;
  close(): Promise<void>;
}

let count = 0;

export async function startBonded(): Promise<BondedBackend> {
  const directory = await mkdtemp(join(tmpdir(), 'backend-'));
  const settings = readSettings({ ...environmentIn(directory), BONDED_WORKERS: '1' });
  const house = await startHouse(settings, { log: createLog({ level: 'silent' }), store: openMemoryStore(), watch: false });
  const { id, secret } = await rootKey(directory);
  const authorization = await ownerOf(directory);
  return {
    endpoint: house.url,
    async newPlace(terms) {
      count += 1;
      const bucket = `place-${count}`;
      const made = await fetch(`${house.url}/${bucket}`, { method: 'PUT', headers: { authorization } });
      if (!made.ok) throw new Error(`The bucket was not made: ${await made.text()}`);
      return {
        bucket,
        prefix: 'in/a folder/',
        endpoint: house.url,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: id, secretAccessKey: secret },
        terms: { partBytes: 5 * MIB, ...terms },
      };
    },
    async close() {
      await house.close(0);
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

/** The objects of a place as they are. */
export function lookInto(place: S3StoreOptions): {
  readonly objects: Objects;
  readonly multipart: Multipart;
  names(prefix?: string): Promise<readonly string[]>;
} {
  const client = openClient(place, 8);
  const objects = openObjects(client, place);
  const multipart = openMultipart(client, place);
  return {
    objects,
    multipart,
    async names(prefix = '') {
      const { objects: found } = await objects.list({ prefix, limit: 1000 });
      const open = await multipart.open('');
      return [...found.map(({ name }) => name), ...open.map(({ name }) => `upload of ${name}`)];
    },
  };
}
