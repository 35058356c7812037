import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import type { RangeSession } from '../../../src/core/ranges/contract.ts';
import { ArtefactError, isError } from '../../../src/errors.ts';
import { weakStore } from '../weakStore.ts';
import { openMemoryStore } from '../../../src/storage/memory/store.ts';
import type { TestCore } from '../core.fixture.ts';
import { ACTOR, admit, bucketNamed, collectBytes, PLAIN, testCore } from '../core.fixture.ts';

const bucket = bucketNamed('b');
const naming = { conditions: {}, actor: ACTOR };
const LENGTH = 100_000;
const whole = Buffer.alloc(LENGTH);
for (let at = 0; at < LENGTH; at += 1) whole[at] = (at * 31 + (at >> 8) * 7) & 0xff;
const sha256 = createHash('sha256').update(whole).digest('hex');

/** What one connection does next. `process` is where it ends up. */
type Step =
  | {
      readonly do: 'append';
      readonly process: number;
      readonly size: number;
      readonly breakAt?: number;
      readonly guess?: number;
      readonly pause: number;
    }
  | {
      readonly do: 'write';
      readonly process: number;
      readonly start: number;
      readonly size: number;
      readonly breakAt?: number;
      readonly pause: number;
    }
  | { readonly do: 'look'; readonly process: number };

const process_ = fc.nat(1);
const size = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 30_000, max: 70_000 }));
const breakAt = fc.option(fc.nat(60_000), { nil: undefined });
const pause = fc.nat(3);
const look = fc.record({ do: fc.constant('look' as const), process: process_ });
const appendStep = fc.record({
  do: fc.constant('append' as const),
  process: process_,
  size,
  breakAt,
  guess: fc.option(fc.nat(LENGTH), { nil: undefined }),
  pause,
});
const writeStep = fc.record({ do: fc.constant('write' as const), process: process_, start: fc.nat(LENGTH - 1), size, breakAt, pause });

/** The right bytes, in chunks whose buffer is used again, breaking off where told to. */
async function* bytesAt(
  start: number,
  length: number,
  { breakAt: cut, pause: turns }: { readonly breakAt?: number; readonly pause: number },
) {
  const lent = Buffer.alloc(7001);
  const end = Math.min(LENGTH, start + length);
  for (let at = start; at < end; at += lent.length) {
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (cut !== undefined && at - start >= cut) throw new ArtefactError('BodyIncomplete', 'broken off');
    const taken = whole.copy(lent, 0, at, Math.min(end, at + lent.length));
    yield lent.subarray(0, taken);
  }
}

/** Refusals that a client may meet when its requests cross; anything else is a fault. */
const FAIR = ['ConcurrentChange', 'BodyIncomplete', 'InvalidRequest', 'BodyTooLarge', 'UploadUnknown', 'InvalidRange'] as const;

async function unlessFair(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isError(error, ...FAIR)) throw error;
  });
}

async function contentIs({ core }: TestCore): Promise<void> {
  const version = await core.objects.get(bucket, 'k');
  assert.ok(!version.deleteMarker);
  assert.equal(version.digest, `sha256:${sha256}`);
  assert.ok(whole.equals(await collectBytes(core.objects.open(bucket, admit(version.digest)))));
}

const stores = { 'with transactions': openMemoryStore, 'without transactions': weakStore } as const;

describe('core: ranges from two connections at two processes', () => {
  for (const [kind, openStore] of Object.entries(stores)) {
    it(`append in any interleaving, and never lose or mix a byte that was acknowledged (${kind})`, async () => {
      const lane = fc.array(fc.oneof({ weight: 4, arbitrary: appendStep }, look), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(lane, lane, async (one, two) => {
          const store = openStore();
          const processes = [testCore({ store }), testCore({ store })];
          const session = await processes[0]!.core.ranges.begin(
            bucket,
            'k',
            { attributes: PLAIN, mode: 'sequential', length: LENGTH, sha256 },
            ACTOR,
          );
          let acknowledged = 0;
          const connection = async (steps: readonly Step[]): Promise<void> => {
            for (const step of steps) {
              const { ranges } = processes[step.process]!.core;
              if (step.do === 'look') {
                const { offset } = await ranges.seize(bucket, session);
                assert.ok(offset >= acknowledged, 'an offset never goes back');
                acknowledged = offset;
              } else if (step.do === 'append') {
                const offset = step.guess ?? (await ranges.find(bucket, session)).offset;
                const answer = ranges.append(bucket, session, { offset, bytes: bytesAt(offset, step.size, step) });
                await unlessFair(answer.then((after) => void (acknowledged = Math.max(acknowledged, after.offset))));
              }
            }
          };
          await Promise.all([connection(one), connection(two)]);
          const { offset } = await processes[0]!.core.ranges.seize(bucket, session);
          assert.ok(offset >= acknowledged);
          if (offset < LENGTH)
            await processes[1]!.core.ranges.append(bucket, session, { offset, bytes: bytesAt(offset, LENGTH, { pause: 0 }) });
          await processes[1]!.core.ranges.complete(bucket, session, naming);
          await contentIs(processes[0]!);
          for (const left of ['ranges/', 'part/', 'intent/', 'garbage/upload/']) assert.deepEqual(await processes[0]!.keys(left), [], left);
        }),
        { numRuns: 100 },
      );
    });

    it(`write ranges in any interleaving, and end with exactly the bytes or a refusal (${kind})`, async () => {
      const lane = fc.array(writeStep, { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(lane, lane, fc.boolean(), async (one, two, mend) => {
          const store = openStore();
          const processes = [testCore({ store }), testCore({ store })];
          const session: RangeSession = await processes[0]!.core.ranges.begin(
            bucket,
            'k',
            { attributes: PLAIN, mode: 'parallel', length: LENGTH, sha256 },
            ACTOR,
          );
          const write = (
            process: number,
            start: number,
            length: number,
            way: { readonly breakAt?: number; readonly pause: number },
          ): Promise<void> => processes[process]!.core.ranges.write(bucket, session, { offset: start, bytes: bytesAt(start, length, way) });
          const connection = async (steps: readonly Step[]): Promise<void> => {
            for (const step of steps) if (step.do === 'write') await unlessFair(write(step.process, step.start, step.size, step));
          };
          await Promise.all([connection(one), connection(two)]);
          const refused = await processes[1]!.core.ranges.complete(bucket, session, naming).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (refused !== undefined) {
            assert.ok(
              isError(refused, 'InvalidRequest') && ['incomplete', 'overlap'].includes(String(refused.details.reason)),
              refused instanceof Error ? refused.message : '',
            );
            if (mend) {
              // What is missing is sent as the status tells; where ranges do not meet, all of it.
              await write(0, 0, LENGTH, { pause: 0 });
              await processes[0]!.core.ranges.complete(bucket, session, naming);
            } else await processes[0]!.core.ranges.abort(bucket, session, ACTOR);
          }
          if (refused === undefined || mend) await contentIs(processes[1]!);
          for (const left of ['ranges/', 'part/', 'intent/', 'garbage/upload/']) assert.deepEqual(await processes[0]!.keys(left), [], left);
        }),
        { numRuns: 100 },
      );
    });
  }
});
