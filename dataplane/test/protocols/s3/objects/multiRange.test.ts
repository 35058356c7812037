import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isError } from '../../../../src/errors.ts';
import { multiRange, severalRanges } from '../../../../src/protocols/s3/objects/multiRange.ts';
import type { ByteRange } from '../../../../src/storage/contract.ts';
import { openStage } from './stage.ts';

const body = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) & 0xff));

/** Reads an answer of parts as RFC 2046 §5.1 has it. */
function readParts(bytes: Buffer, contentType: string): { readonly range: string; readonly bytes: Buffer }[] {
  const boundary = /boundary=(.+)$/.exec(contentType)![1]!;
  const mark = Buffer.from(`\r\n--${boundary}`);
  const parts: { range: string; bytes: Buffer }[] = [];
  for (let at = bytes.indexOf(mark); ;) {
    at += mark.length;
    if (bytes.subarray(at, at + 2).toString() === '--') {
      assert.equal(bytes.subarray(at + 2).toString(), '\r\n');
      return parts;
    }
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    const next = bytes.indexOf(mark, headEnd);
    parts.push({
      range: /content-range: (.*)/i.exec(bytes.subarray(at, headEnd).toString())![1]!,
      bytes: bytes.subarray(headEnd + 4, next),
    });
    at = next;
  }
}

describe('reads of several ranges', () => {
  it('are answered in parts, each with its own range', async () => {
    const stage = openStage();
    await stage.put('/plain/k', body, { 'content-type': 'text/x-many' });
    const several = await stage.get('/plain/k', { range: 'bytes=0-9, 1000-1099,-5' });
    assert.equal(several.status, 206);
    assert.equal(several.headers['content-range'], undefined);
    assert.equal(several.headers['content-length'], String(several.bytes.length));
    assert.match(several.headers['content-type']!, /^multipart\/byteranges; boundary=/);
    const parts = readParts(Buffer.from(several.bytes), several.headers['content-type']!);
    assert.deepEqual(
      parts.map(({ range }) => range),
      ['bytes 0-9/5000', 'bytes 1000-1099/5000', 'bytes 4995-4999/5000'],
    );
    assert.ok(parts[1]!.bytes.equals(body.subarray(1000, 1100)));
    assert.match(Buffer.from(several.bytes).toString('latin1'), /\r\nContent-Type: text\/x-many\r\n/);
    const head = await stage.ask({ method: 'HEAD', target: '/plain/k', headers: { range: 'bytes=0-9,1000-1099' } });
    assert.equal(head.status, 206);
  });

  it('become one range where they meet, the whole where there are too many, and nothing where no byte is', async () => {
    const stage = openStage();
    await stage.put('/plain/k', body);
    const one = await stage.get('/plain/k', { range: 'bytes=0-9,5-19,20-29' });
    assert.deepEqual([one.status, one.headers['content-range']], [206, 'bytes 0-29/5000']);
    const many = await stage.get('/plain/k', {
      range: `bytes=${Array.from({ length: 17 }, (_, index) => `${index * 200}-${index * 200}`).join(',')}`,
    });
    assert.deepEqual([many.status, many.bytes.length], [200, 5000]);
    const none = await stage.get('/plain/k', { range: 'bytes=5000-,6000-7000' });
    assert.deepEqual([none.status, none.headers['content-range']], [416, 'bytes */5000']);
    const { etag } = (await stage.get('/plain/k')).headers;
    assert.equal((await stage.get('/plain/k', { range: 'bytes=0-9,1000-1099', 'if-range': etag! })).status, 206);
    assert.equal((await stage.get('/plain/k', { range: 'bytes=0-9,1000-1099', 'if-range': '"other"' })).status, 200);
  });

  it('never send a byte twice, nor more than asked for and its gaps', () => {
    const spec = fc.oneof(
      fc.tuple(fc.nat(6000), fc.nat(6000)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.nat(6000).map((n) => `${n}-`),
      fc.integer({ min: 1, max: 6000 }).map((n) => `-${n}`),
    );
    fc.assert(
      fc.property(fc.array(spec, { minLength: 2, maxLength: 16 }), (specs) => {
        let ranges: readonly ByteRange[];
        try {
          ranges = severalRanges(`bytes=${specs.join(',')}`, body.length)!;
        } catch (error) {
          assert.ok(isError(error, 'InvalidRange'));
          return;
        }
        let end = -1;
        for (const { offset, length } of ranges) {
          assert.ok(length > 0 && offset > end && offset + length <= body.length);
          end = offset + length;
        }
        const inside = (byte: number): boolean => ranges.some(({ offset, length }) => byte >= offset && byte < offset + length);
        for (const one of specs) {
          const [first, last] = one.split('-');
          const start = first === '' ? Math.max(0, body.length - Number(last)) : Number(first);
          if (start < body.length) assert.ok(inside(start), one);
        }
        assert.ok(Number(multiRange(ranges, body.length, 'a/b').headers['content-length']) < body.length + 17 * 300);
      }),
    );
  });

  it('read any field without falling over', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(10_000), (text, size) => {
        for (const field of [text, `bytes=${text}`]) {
          try {
            severalRanges(field, size);
          } catch (error) {
            assert.ok(isError(error, 'InvalidRange'));
          }
        }
      }),
    );
  });
});
