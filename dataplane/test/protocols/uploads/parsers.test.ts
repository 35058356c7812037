import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ArtefactError, isError } from '../../../src/errors.ts';
import { readRange } from '../../../src/protocols/byteRange.ts';
import { readContentRange } from '../../../src/protocols/uploads/contentRange.ts';
import { readBoolean, readInteger, readSha256 } from '../../../src/protocols/uploads/structured.ts';
import { readChecksum } from '../../../src/protocols/uploads/tus/checksum.ts';
import { parseMetadata, readMetadata } from '../../../src/protocols/uploads/tus/metadata.ts';

/** Whatever comes, the answer is a value or a refusal of ours. */
function orRefusal<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof ArtefactError && !isError(error, 'Internal'), String(error));
    return undefined;
  }
}

const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-zA-Z0-9+/=:;,? *-]*$/));
const number = fc.nat(Number.MAX_SAFE_INTEGER);

describe('uploads: what comes in headers', () => {
  it('Upload-Metadata gives back what was encoded, and refuses the rest', () => {
    const key = fc.stringMatching(/^[!-+\--~]{1,40}$/);
    const pairs = fc.uniqueArray(fc.tuple(key, fc.string({ unit: 'grapheme' })), { selector: ([name]) => name, maxLength: 20 });
    fc.assert(
      fc.property(pairs, (list) => {
        const field = list.map(([name, value]) => (value === '' ? name : `${name} ${Buffer.from(value).toString('base64')}`)).join(',');
        const long = field.length > 8192;
        const read = orRefusal(() => parseMetadata(field));
        if (!long)
          assert.deepEqual(
            [...(read ?? [])],
            list.map(([name, value]) => [name, value]),
          );
      }),
    );
    fc.assert(fc.property(anything, (field) => void orRefusal(() => readMetadata(parseMetadata(field)))));
    for (const field of ['a b c', 'a !!', ',', 'a,a', ' ,b', `a ${'A'.repeat(9000)}`, 'a //8=']) {
      assert.throws(
        () => parseMetadata(field),
        (error) => isError(error, 'InvalidArgument'),
        field,
      );
    }
  });

  it('Content-Range is read as it was written', () => {
    fc.assert(
      fc.property(fc.nat(1e12), fc.nat(1e9), fc.option(fc.nat(1e9), { nil: undefined }), (first, more, rest) => {
        const last = first + more;
        const total = rest === undefined ? undefined : last + 1 + rest;
        assert.deepEqual(readContentRange(`bytes ${first}-${last}/${total ?? '*'}`), {
          bytes: { first, last },
          ...(total === undefined ? {} : { total }),
        });
        if (total !== undefined)
          assert.throws(
            () => readContentRange(`bytes ${first}-${last}/${last}`),
            (error) => isError(error, 'InvalidRequest'),
          );
      }),
    );
    assert.deepEqual(readContentRange('bytes */7'), { total: 7 });
    fc.assert(fc.property(anything, (field) => void orRefusal(() => readContentRange(`bytes ${field}`))));
  });

  it('Range never leaves the bytes that are there', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          fc.tuple(fc.nat(200), fc.nat(200)).map(([a, b]) => `${a}-${b}`),
        ),
        fc.nat(100),
        (field, size) => {
          const range = orRefusal(() => readRange(`bytes=${field}`, size));
          if (range !== undefined) assert.ok(range.length > 0 && range.offset + range.length <= size);
        },
      ),
    );
  });

  it('structured items are read, and count as absent when they are none', () => {
    fc.assert(
      fc.property(
        number.filter((n) => n < 1e15),
        (n) => assert.equal(readInteger(String(n)), n),
      ),
    );
    assert.deepEqual(
      [readBoolean('?1'), readBoolean('?0'), readBoolean('?1;a=b'), readBoolean('true'), readBoolean(undefined)],
      [true, false, true, undefined, undefined],
    );
    assert.deepEqual(
      [readInteger('-1'), readInteger('1.0'), readInteger('1000000000000000'), readInteger('"1"')],
      Array(4).fill(undefined),
    );
    fc.assert(fc.property(anything, (field) => void [readBoolean(field), readInteger(field)]));
  });

  it('digests and checksums are read, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const value = Buffer.from(bytes).toString('base64');
        assert.ok(readSha256('Repr-Digest', `md5=:AAAA:, sha-256=:${value}:;q=1`)?.equals(bytes));
        assert.ok(Buffer.from(readChecksum(`sha256 ${value}`)!.value).equals(bytes));
      }),
    );
    for (const field of ['sha-512=:AAAA:', 'sha-256=:AAAA:', 'sha-256=AAAA', '', 'sha-256']) {
      assert.throws(
        () => readSha256('Content-Digest', field),
        (error) => isError(error, 'InvalidDigest'),
        field,
      );
    }
    fc.assert(
      fc.property(anything, (field) => void [orRefusal(() => readSha256('Repr-Digest', field)), orRefusal(() => readChecksum(field))]),
    );
  });
});
