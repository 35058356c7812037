import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeBody, encodeBody, isGoneSize, pastOf, type Body } from '../../../src/storage/s3/body.ts';
import { judge } from '../../../src/storage/s3/judge.ts';

const standing = (nonce: string, past: readonly string[], cut = false) => ({
  body: { key: 'k', nonce, past, value: 1, ...(cut && { cut: true as const }) } satisfies Body,
  etag: `etag of ${nonce}`,
});
const before = { nonce: 'before', etag: 'etag of before' };

describe('judging a write whose answer was lost', () => {
  it('finds it made where it stands, and where others have written since', () => {
    assert.equal(judge('own', before, standing('own', ['before']), false), 'made');
    assert.equal(judge('own', before, standing('c', ['b', 'own', 'before']), false), 'made');
    assert.equal(judge('own', undefined, standing('c', ['b', 'own']), false), 'made');
  });

  it('finds it made even when it was told that its condition does not hold: something repeated it on the way', () => {
    assert.equal(judge('own', before, standing('own', ['before']), true), 'made');
  });

  it('finds it lost where what stands there remembers back to before it, without it', () => {
    assert.equal(judge('own', before, standing('c', ['b', 'before']), false), 'lost');
    assert.equal(judge('own', undefined, standing('c', ['b']), false), 'lost');
    assert.equal(judge('own', before, undefined, false), 'lost');
  });

  it('leaves it open while what it was to replace still stands', () => {
    assert.equal(judge('own', before, standing('before', []), false), 'open');
    assert.equal(judge('own', undefined, undefined, false), 'open');
  });

  it('knows nothing where the memory does not reach back, unless the server refused it', () => {
    assert.equal(judge('own', before, standing('z', ['y', 'x'], true), false), 'unknown');
    assert.equal(judge('own', undefined, standing('z', ['y', 'x'], true), false), 'unknown');
    assert.equal(judge('own', before, standing('z', ['y', 'x'], true), true), 'lost');
  });

  it('remembers sixty-four writes, and that there were more', () => {
    let body: Body = { key: 'k', nonce: 'n0', past: [], value: 0 };
    for (let n = 1; n <= 65; n += 1) body = { key: 'k', nonce: `n${n}`, ...pastOf(body), value: n };
    assert.deepEqual([body.past.length, body.past[0], body.past[63], body.cut], [64, 'n64', 'n1', true]);
    assert.deepEqual(pastOf({ nonce: 'a' }), { past: ['a'], cut: true });
  });
});

describe('bodies of records', () => {
  it('read back, and show by their size whether they are tombstones', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), fc.string({ unit: 'binary' }), (value, gone, key) => {
        const written = { key, nonce: 'n', past: ['p'] };
        const body = (gone ? { ...written, gone: 'deleted', at: 1 } : { ...written, value }) as Body;
        const bytes = encodeBody(body);
        assert.equal(isGoneSize(bytes.byteLength), gone);
        assert.deepEqual(decodeBody(Buffer.from(bytes).toString()), JSON.parse(JSON.stringify(body)));
      }),
    );
  });

  it('of other programs are none', () => {
    for (const text of ['', '{', 'null', '[]', '{}', '{"key":"k","nonce":"n","past":[]}', '{"key":"k","nonce":"n","past":[1],"value":1}']) {
      assert.equal(decodeBody(text), undefined);
    }
    fc.assert(fc.property(fc.string(), (text) => void decodeBody(text)));
  });
});
