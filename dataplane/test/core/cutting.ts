/** A store that may be cut off between any two changes, and what tests do over it. */
import type { BucketConfig } from '@bonded/crds';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import type { DigestRecord } from '../../src/core/digests.ts';
import { heldSegments } from '../../src/core/quarantine.ts';
import type { RangeSession } from '../../src/core/ranges/contract.ts';
import type { Store } from '../../src/storage/contract.ts';
import type { TestCore } from './core.fixture.ts';
import { ACTOR, bytesOf, PLAIN } from './core.fixture.ts';
import { weakStore } from './weakStore.ts';

/** A process may end between any two changes; those that have no order are made in the order given, or `backwards`. */
export function cutStore({ backwards = false } = {}): {
  readonly store: Store;
  readonly cutAfter: (changes: number) => void;
  readonly heal: () => void;
} {
  let left = Infinity;
  const step = (): void => {
    if (left <= 0) throw new Error('cut');
    left -= 1;
  };
  const store = weakStore(step, { backwards: () => backwards });
  return { store, cutAfter: (changes) => void (left = changes), heal: () => void (left = Infinity) };
}

export const large = (seed: string, size = 40_000): Buffer => Buffer.alloc(size, createHash('sha256').update(seed).digest());
export const bodies = ['', 'a', 'bb', large('x'), large('y', 80_000)].map((body) => Buffer.from(body));
export const GRACE = 60_000;

export type Step =
  | { readonly do: 'put'; readonly key: string; readonly body: number }
  | { readonly do: 'delete' | 'delete-version' | 'tag'; readonly key: string }
  | { readonly do: 'copy'; readonly key: string; readonly from: string }
  | { readonly do: 'upload'; readonly key: string; readonly body: number }
  | { readonly do: 'append' | 'drip' | 'ranges' | 'join'; readonly key: string; readonly body: number };

const key = fc.constantFrom('k', 'l');
export const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), key, body: fc.nat(bodies.length - 1) }),
  fc.record({ do: fc.constantFrom('delete' as const, 'delete-version' as const, 'tag' as const), key }),
  fc.record({ do: fc.constant('copy' as const), key, from: key }),
  fc.record({ do: fc.constant('upload' as const), key, body: fc.nat(bodies.length - 1) }),
  fc.record({
    do: fc.constantFrom('append' as const, 'drip' as const, 'ranges' as const, 'join' as const),
    key,
    body: fc.nat(bodies.length - 1),
  }),
);

/** How many blobs the digests are made of. */
export async function segments(store: Store): Promise<number> {
  const digests = await store.records.scan({ prefix: 'digest/', limit: 1000 });
  return digests.reduce((sum, item) => sum + ('value' in item ? heldSegments(item.value as unknown as DigestRecord).length : 0), 0);
}

export type RangesStep = Extract<Step, { readonly do: 'append' | 'drip' | 'ranges' | 'join' }>;

export function isRanges(one: Step): one is RangesStep {
  return ['append', 'drip', 'ranges', 'join'].includes(one.do);
}

/** Sends a body as two ranges, or as many small ones, each in its own request. */
export async function sendRanges({ core }: TestCore, bucket: BucketConfig, { do: way, key, body }: RangesStep): Promise<void> {
  const { ranges } = core;
  const bytes = bodies[body]!;
  const step = Math.ceil(bytes.length / (way === 'drip' ? 9 : 2));
  const slices = [...Array(way === 'drip' ? 9 : 2).keys()].map((index) => bytes.subarray(index * step, (index + 1) * step));
  const naming = { conditions: {}, actor: ACTOR };
  if (way === 'join') {
    const partials: RangeSession[] = [];
    for (const half of slices) {
      const session = await ranges.begin(bucket, key, { attributes: PLAIN, mode: 'sequential', partial: true, length: half.length }, ACTOR);
      await ranges.append(bucket, session, { offset: 0, bytes: bytesOf(half) });
      partials.push(session);
    }
    return void (await ranges.join(bucket, key, partials, PLAIN, naming));
  }
  const mode = way === 'ranges' ? 'parallel' : 'sequential';
  const session = await ranges.begin(bucket, key, { attributes: PLAIN, mode, length: bytes.length }, ACTOR);
  for (const [index, slice] of slices.entries()) {
    const delivery = { offset: Math.min(index * step, bytes.length), bytes: bytesOf(slice) };
    await (way === 'ranges' ? ranges.write(bucket, session, delivery) : ranges.append(bucket, session, delivery));
  }
  await ranges.complete(bucket, session, naming);
}
