import assert from 'node:assert/strict';
import { ArtefactError } from '../../src/errors.ts';
import type { Bytes, Store } from '../../src/storage/contract.ts';
import { instrumentStore } from '../../src/storage/instrument.ts';
import type { StorageFacts } from '../../src/telemetry/metrics.ts';

function fixture(overrides: { get?: () => Bytes; write?: () => Promise<readonly string[]> } = {}) {
  const calls: StorageFacts[] = [];
  const store: Store = {
    blobs: {
      put: async () => 3,
      get: overrides.get ?? async function* () {},
      head: async () => 3,
      delete: async () => {},
      list: async () => ['a'],
    },
    records: { get: async () => undefined, scan: async () => [], write: overrides.write ?? (async () => ['r']) },
    check: async () => {},
    close: async () => {},
  };
  return { calls, store: instrumentStore(store, { storageCalled: (facts) => void calls.push(facts) }) };
}

describe('an instrumented store', () => {
  it('answers as the store does, and reports each call once', async () => {
    const { store, calls } = fixture();
    assert.equal(await store.blobs.put('i', (async function* () {})()), 3);
    assert.equal(await store.blobs.head('i'), 3);
    await store.blobs.delete('i');
    assert.deepEqual(await store.blobs.list(undefined, 1), ['a']);
    assert.equal(await store.records.get('k'), undefined);
    assert.deepEqual(await store.records.scan({ prefix: '', limit: 1 }), []);
    assert.deepEqual(await store.records.write([]), ['r']);
    await store.check();
    assert.deepEqual(
      calls.map((facts) => facts.call),
      ['blobs.put', 'blobs.head', 'blobs.delete', 'blobs.list', 'records.get', 'records.scan', 'records.write', 'check'],
    );
    assert.ok(calls.every((facts) => facts.seconds >= 0 && facts.error === undefined));
  });

  it('keeps what the store says of itself', () => {
    const presign = { presignGet: async () => 'https://s3.example/' };
    const store: Store = { ...fixture().store, presign };
    const observed = instrumentStore({ ...store, records: { ...store.records, transactional: true } }, { storageCalled: () => {} });
    assert.equal(observed.presign, presign);
    assert.equal(observed.records.transactional, true);
    assert.ok(!('transactional' in fixture().store.records));
  });

  it('reports what failed with its code, and lets it through', async () => {
    const { store, calls } = fixture({ write: () => Promise.reject(new ArtefactError('Conflict', 'lost')) });
    await assert.rejects(store.records.write([]), /lost/);
    assert.equal(calls[0]?.error, 'Conflict');
  });

  it('times the first pull of bytes only, and closes their source', async () => {
    let closed = false;
    const { store, calls } = fixture({
      async *get() {
        try {
          for (;;) yield Buffer.from('x');
        } finally {
          closed = true;
        }
      },
    });
    let pulled = 0;
    for await (const _chunk of store.blobs.get('i')) if (++pulled === 3) break;
    assert.equal(calls.length, 1);
    assert.ok(closed);
  });
});
