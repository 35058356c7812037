/** A core over a memory store, with a clock that tests move. */
import type { BucketConfig } from '@bonded/crds';
import { createCore } from '../../src/core/createCore.ts';
import type { Terms } from '../../src/core/context.ts';
import type { Actor, Core, Expected } from '../../src/core/core.ts';
import { stampAdmitted } from '../../src/core/door.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { Conditions, ObjectAttributes, ObjectVersion } from '../../src/core/object.ts';
import type { ScrubOptions } from '../../src/core/scrub/scrub.ts';
import type { Bytes, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';

export const ACTOR: Actor = { principal: 'key:TEST', operation: 'test.Put', requestId: 'r1', remoteAddress: '127.0.0.1' };
export const PLAIN: ObjectAttributes = { headers: {}, metadata: {}, tags: {}, storageClass: 'STANDARD' };

export interface TestCore {
  readonly core: Core;
  readonly store: Store;
  /** Moves the clock, in ms. */
  readonly pass: (ms: number) => void;
  readonly put: (bucket: BucketConfig, key: string, body: string | Uint8Array, conditions?: Conditions) => Promise<ObjectVersion>;
  readonly text: (bucket: BucketConfig, key: string, versionId?: string) => Promise<string>;
  /** Every record key, for looking at what is left behind. */
  readonly keys: (prefix?: string) => Promise<string[]>;
  readonly resources: Map<string, string>;
}

export function bucketNamed(name: string, more: Partial<BucketConfig> = {}): BucketConfig {
  return {
    name,
    namespace: 'team-a',
    origin: { managedBy: 'api', owner: 'api' },
    location: 'default',
    versioning: 'Disabled',
    immutability: [],
    deletionPolicy: 'Retain',
    cors: [],
    tags: {},
    ...more,
  };
}

export async function* bytesOf(body: string | Uint8Array, chunk = 64 * 1024): Bytes & AsyncGenerator<Uint8Array, void, void> {
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

export async function collectBytes(bytes: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export function testCore(
  options: {
    readonly terms?: Partial<Terms>;
    readonly store?: Store;
    readonly claimed?: () => ReadonlySet<string>;
    readonly scrub?: ScrubOptions;
    /** Time passes only as this says, whatever the clock shows. */
    readonly elapsed?: () => number;
  } = {},
): TestCore {
  const store = options.store ?? openMemoryStore();
  const resources = new Map<string, string>();
  let offset = 0;
  const core = createCore({
    stores: new Map([['default', store]]),
    claimedBuckets: options.claimed ?? (() => new Set(resources.keys())),
    ...(options.terms === undefined ? {} : { terms: options.terms }),
    ...(options.scrub === undefined ? {} : { scrub: options.scrub }),
    ...(options.elapsed === undefined ? {} : { elapsed: options.elapsed }),
    now: () => Date.now() + offset,
    writer: {
      createBucket: async (name, namespace) => void resources.set(name, namespace),
      deleteBucket: async (name) => void resources.delete(name),
      updateBucket: async () => undefined,
      putPolicy: async () => undefined,
      deletePolicy: async () => undefined,
    },
  });
  return {
    core,
    store,
    resources,
    pass: (ms) => void (offset += ms),
    put: async (bucket, key, body, conditions = {}) => {
      const arrived = await core.objects.receive(bucket, bytesOf(body), {} satisfies Expected);
      return (await core.objects.put(bucket, key, arrived, PLAIN, conditions, ACTOR)).version;
    },
    text: async (bucket, key, versionId) => {
      const version = await core.objects.get(bucket, key, versionId);
      if (version.deleteMarker) throw new Error(`${key} is a delete marker`);
      return (await collectBytes(core.objects.open(bucket, admit(version.digest)))).toString();
    },
    keys: async (prefix = '') =>
      (await store.records.scan({ prefix, limit: 10_000 })).map((item) => ('key' in item ? item.key : item.prefix)),
  };
}

/** Tests of the core stand in for the door. */
export function admit(digest: Digest): ReturnType<typeof stampAdmitted> {
  return stampAdmitted(digest);
}
