import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ObjectVersion } from '../../../../src/core/object.ts';
import { objectFields } from '../../../../src/protocols/s3/listing/entries.ts';

const THE_YEAR_9999 = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

describe('S3 listings: entries', () => {
  it('say when a name changed as Date does, by the whole second, in whatever order', () => {
    const moment = fc.oneof(fc.integer({ min: 0, max: THE_YEAR_9999 }), fc.integer({ min: 0, max: 200_000_000 }));
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 20 }), (moments) => {
        const shown = moments.map((modified) => objectFields({ modified } as ObjectVersion, String).LastModified);
        assert.deepEqual(
          shown,
          moments.map((ms) => new Date(ms - (ms % 1000)).toISOString()),
        );
      }),
    );
  });
});
