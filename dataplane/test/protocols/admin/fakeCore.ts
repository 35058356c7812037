/** A core of plain arrays, for tests that look at one protocol alone. */
import type { BucketConfig } from '@bonded/crds';
import type { Keep } from '../../../src/core/collect/contract.ts';
import type { BucketSettings, Core, JournalEntry, SearchQuery } from '../../../src/core/core.ts';
import type { ObjectVersion } from '../../../src/core/object.ts';
import { bucketNamed } from '../../core/core.fixture.ts';

/** What the core holds, and what was done to it. */
export interface Shelves {
  readonly buckets: BucketConfig[];
  readonly objects: Map<string, ObjectVersion[]>;
  readonly journal: JournalEntry[];
  readonly created: Map<string, number>;
  keep: Keep | undefined;
  /** Names of mutating calls of the core, with what they were about. */
  readonly done: string[];
}

/** An object version of that key. */
export function objectNamed(key: string, settings: Partial<ObjectVersion> = {}): ObjectVersion {
  return {
    key,
    id: '01KAV4Z9Q2B7N4X8S5T3V6W1YC',
    versionId: 'null',
    deleteMarker: false,
    modified: Date.UTC(2026, 10, 24),
    owner: 'key:ALICE',
    digest: `sha256:${'ab'.repeat(32)}`,
    size: 4,
    etag: '098f6bcd4621d373cade4e832627b4f6',
    headers: { contentType: 'text/plain' },
    metadata: {},
    tags: {},
    storageClass: 'STANDARD',
    ...settings,
  };
}

/** The core over them. */
export function coreOf(shelves: Shelves): Core {
  const { done } = shelves;
  const core: DeepPartial<Core> = {
    objects: {
      listVersions: async (bucket) => ({
        versions: versionsOf(shelves, bucket).map((object) => ({ ...object, isLatest: true })),
        prefixes: [],
      }),
      empty: async (bucket) => void done.push(`empty ${bucket.name}`),
    },
    configuration: {
      createBucket: async (name, namespace, _actor, settings) => {
        done.push(`create ${name} in ${namespace}`);
        shelves.buckets.push(bucketNamed(name, { namespace, ...settings }));
      },
      deleteBucket: async (bucket) => void done.push(`delete ${bucket.name}`),
      updateBucket: async (bucket, settings) => {
        done.push(`update ${bucket.name} ${Object.keys(settings).join()}`);
        update(shelves, bucket, settings);
      },
      bucketCreated: async (bucket) => shelves.created.get(bucket.name) ?? Date.UTC(2026, 10, 1),
    },
    journal: {
      read: async ({ after = '', limit, tail }) => {
        const entries = shelves.journal.filter(({ id }) => id > after);
        return tail === true ? entries.slice(-limit) : entries.slice(0, limit);
      },
    },
    collection: {
      explain: async (digest) => shelves.keep ?? { digest, stored: false, names: [] },
      collect: async () => ({ digests: 1, blobs: 1, uploads: 0, bytes: 4 }),
    },
    scrub: {
      state: async () => [],
      request: async () => void done.push('scrub'),
      examine: async () => [{ location: 'default', outcome: 'sound' }],
      findings: async () => ({ findings: [] }),
    },
    search: async (query) => searchIn(shelves, query),
  };
  return core as Core;
}

type DeepPartial<T> = { [Name in keyof T]?: T[Name] extends (...args: never[]) => unknown ? T[Name] : DeepPartial<T[Name]> };

function versionsOf(shelves: Shelves, { name }: BucketConfig): readonly ObjectVersion[] {
  return shelves.objects.get(name) ?? [];
}

function update(shelves: Shelves, bucket: BucketConfig, settings: BucketSettings): void {
  const index = shelves.buckets.findIndex(({ name }) => name === bucket.name);
  shelves.buckets[index] = { ...bucket, ...settings };
}

/** Looks at no more than two names a call, so that pages come up short. */
function searchIn(shelves: Shelves, { bucket, prefix = '', digest, metadata = {}, after = '', limit }: SearchQuery) {
  const candidates = versionsOf(shelves, bucket).filter(({ key }) => key > after);
  const looked = candidates.slice(0, Math.min(2, limit));
  const objects = looked.filter(
    (object) =>
      object.key.startsWith(prefix) &&
      (digest === undefined || object.digest === digest) &&
      Object.entries(metadata).every(([name, value]) => object.metadata[name] === value),
  );
  return { objects, next: candidates.length > looked.length ? looked.at(-1)?.key : undefined };
}
