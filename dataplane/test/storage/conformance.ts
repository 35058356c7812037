/**
 * The behaviour that every storage driver promises. A driver's test calls `describeStore`; what a driver cannot do is
 * skipped by name and with a reason, and a skip that names no test is a failure.
 */
import assert from 'node:assert/strict';
import type { Store } from '../../src/storage/contract.ts';
import { describeBatches } from './conformance/batches.ts';
import { describeBlobReading } from './conformance/blobReading.ts';
import { describeBlobWriting } from './conformance/blobWriting.ts';
import { describeLifecycle } from './conformance/lifecycle.ts';
import { describeRecords } from './conformance/records.ts';
import { describeScan } from './conformance/scan.ts';

/** A fresh, empty store, and what the suite may look at besides it. */
export interface Place {
  readonly store: Store;
  /** Opens the same location a second time, as another process would. The suite closes it. */
  readonly reopen?: () => Promise<Store>;
  /** What lies about that is neither a blob nor a record. */
  readonly leftovers?: () => Promise<readonly string[]>;
  /** How many files of blobs this process holds open. */
  readonly openFiles?: () => Promise<number>;
  /** Closes the store and removes everything. */
  readonly cleanup: () => Promise<void>;
}

export interface Skip {
  readonly reason: string;
  readonly tests: readonly string[];
}

/** How a group of tests is written down: each test gets the group's place. */
export interface Suite {
  readonly group: (title: string, tests: () => void) => void;
  readonly test: (title: string, body: (place: Place) => Promise<void>) => void;
}

/** Describes the whole contract for one driver. */
export function describeStore(name: string, open: () => Promise<Place>, options: { readonly skip?: readonly Skip[] } = {}): void {
  const reasons = new Map((options.skip ?? []).flatMap(({ reason, tests }) => tests.map((title) => [title, reason] as const)));
  const seen = new Set<string>();
  const suite = suiteOf(open, reasons, seen);
  describe(`store: ${name}`, () => {
    for (const part of [describeBlobWriting, describeBlobReading, describeRecords, describeBatches, describeScan, describeLifecycle])
      part(suite);
    it('skips only tests that there are', () => {
      assert.deepEqual(
        [...reasons.keys()].filter((title) => !seen.has(title)),
        [],
      );
    });
  });
}

function suiteOf(open: () => Promise<Place>, reasons: ReadonlyMap<string, string>, seen: Set<string>): Suite {
  let place: Place;
  return {
    group(title, tests) {
      describe(title, () => {
        before(async () => void (place = await open()));
        after(() => place.cleanup());
        tests();
      });
    },
    test(title, body) {
      seen.add(title);
      const reason = reasons.get(title);
      if (reason === undefined) it(title, () => body(place));
      else it.skip(`${title} (${reason})`);
    },
  };
}
