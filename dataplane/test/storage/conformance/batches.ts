import assert from 'node:assert/strict';
import { inAnyOrder, SMALL_BLOB } from '../../../src/storage/contract.ts';
import type { Change } from '../../../src/storage/contract.ts';
import type { Suite } from '../conformance.ts';
import { failsWith, newId, newSpace, patterned, read, sameBytes, whole } from './bodies.ts';

export function describeBatches({ group, test }: Suite): void {
  group('batches of changes', () => {
    test('makes changes in order, and answers a revision for each put', async ({ store: { records } }) => {
      const key = newSpace();
      const revisions = await records.write([
        { put: key, value: 1, ifAbsent: true },
        { put: key, value: 2 },
        { delete: key },
        { put: key, value: 3, ifAbsent: true },
      ]);
      assert.equal(revisions.length, 4);
      assert.equal(revisions[2], '');
      assert.equal(new Set(revisions).size, 4);
      assert.deepEqual(await records.get(key), { key, value: 3, revision: revisions[3] });
    });

    test('makes changes that have no order between those that have one, and answers in theirs', async ({ store: { records } }) => {
      const space = newSpace();
      const many = Array.from({ length: 70 }, (_, n) => ({ put: `${space}${n}`, value: n }));
      const revisions = await records.write([
        { put: `${space}0`, value: 'before' },
        ...inAnyOrder(many),
        ...inAnyOrder([{ delete: `${space}1` }, { put: `${space}2`, value: 'after' }, { delete: `${space}none` }]),
      ]);
      assert.equal(revisions.length, 74);
      assert.deepEqual(await records.get(`${space}0`), { key: `${space}0`, value: 0, revision: revisions[1] });
      assert.equal(await records.get(`${space}1`), undefined);
      assert.deepEqual(await records.get(`${space}2`), { key: `${space}2`, value: 'after', revision: revisions[72] });
      assert.deepEqual(await records.get(`${space}69`), { key: `${space}69`, value: 69, revision: revisions[70] });
    });

    test('makes nothing behind a change without order whose condition fails', async ({ store: { records } }) => {
      const space = newSpace();
      await records.write([{ put: `${space}taken`, value: 0 }]);
      const group = inAnyOrder([
        { put: `${space}a`, value: 1 },
        { put: `${space}taken`, value: 1, ifAbsent: true },
        { put: `${space}b`, value: 1 },
      ]);
      await assert.rejects(records.write([...group, { put: `${space}after`, value: 1 }]), failsWith('Conflict', { change: 1 }));
      assert.equal((await records.get(`${space}taken`))?.value, 0);
      assert.equal(await records.get(`${space}after`), undefined);
    });

    test('refuses changes of one record that have no order', async ({ store: { records } }) => {
      const key = newSpace();
      await assert.rejects(records.write(inAnyOrder([{ put: key, value: 1 }, { delete: key }])), failsWith('InvalidArgument'));
      assert.equal(await records.get(key), undefined);
    });

    test('makes no change of an empty batch', async ({ store: { records } }) => {
      assert.deepEqual(await records.write([]), []);
    });

    test('names the change whose condition fails, and makes none from it on', async ({ store: { records } }) => {
      const space = newSpace();
      const [revision] = await records.write([{ put: `${space}taken`, value: 0 }]);
      const failingChanges: Change[] = [
        { put: `${space}taken`, value: 1, ifAbsent: true },
        { put: `${space}taken`, value: 1, ifRevision: `${revision}x` },
        { put: `${space}none`, value: 1, ifRevision: `${revision}` },
        { delete: `${space}taken`, ifRevision: `${revision}x` },
      ];
      for (const failing of failingChanges) {
        const changes = [
          { put: `${space}before`, value: 1 },
          { put: `${space}before2`, value: 1 },
          failing,
          { put: `${space}after`, value: 1 },
        ];
        await assert.rejects(records.write(changes), failsWith('Conflict', { change: 2 }));
        assert.deepEqual(await records.get(`${space}taken`), { key: `${space}taken`, value: 0, revision });
        assert.equal(await records.get(`${space}after`), undefined);
      }
    });

    test('undoes the whole batch when a condition fails', async ({ store }) => {
      const space = newSpace();
      const id = newId();
      const [kept, gone] = await store.records.write([
        { put: `${space}kept`, value: 'old' },
        { put: `${space}gone`, value: 'old' },
      ]);
      const changes: Change[] = [
        { put: `${space}new`, value: 1 },
        { put: `${space}kept`, value: 'new' },
        { delete: `${space}gone` },
        { blob: id, bytes: patterned(10) },
        { put: `${space}kept`, value: 'newer', ifAbsent: true },
      ];
      await assert.rejects(store.records.write(changes), failsWith('Conflict', { change: 4 }));
      assert.deepEqual(await store.records.scan({ prefix: space, limit: 10 }), [
        { key: `${space}gone`, value: 'old', revision: gone },
        { key: `${space}kept`, value: 'old', revision: kept },
      ]);
      assert.equal(await store.blobs.head(id), undefined);
    });

    test('undoes no other batch than the failed one', async ({ store: { records } }) => {
      const space = newSpace();
      await records.write([{ put: `${space}taken`, value: 0 }]);
      const results = await Promise.allSettled(
        Array.from({ length: 40 }, (_, n) => {
          const second: Change = n % 4 === 0 ? { put: `${space}taken`, value: n, ifAbsent: true } : { put: `${space}b${n}`, value: n };
          return records.write([{ put: `${space}a${n}`, value: n }, second]);
        }),
      );
      for (const [n, result] of results.entries()) {
        assert.equal(result.status, n % 4 === 0 ? 'rejected' : 'fulfilled');
        if (n % 4 !== 0) assert.equal((await records.get(`${space}b${n}`))?.value, n);
      }
    });

    test('refuses a batch with a mistake before anything happened', async ({ store: { records } }) => {
      const key = newSpace();
      const mistakes: Change[] = [
        { put: '', value: 1 },
        { delete: 'a\0' },
        { put: key, value: 1, ifAbsent: true, ifRevision: 'x' },
        { blob: 'a/b', bytes: patterned(1) },
        { blob: newId(), bytes: patterned(SMALL_BLOB + 1) },
      ];
      for (const mistake of mistakes) {
        await assert.rejects(records.write([{ put: key, value: 1 }, mistake]), failsWith('InvalidArgument'));
        assert.equal(await records.get(key), undefined);
      }
    });

    test('stores small blobs beside records', async ({ store }) => {
      const key = newSpace();
      const sizes = [0, 1, 4096, SMALL_BLOB];
      const blobs = sizes.map((size) => ({ blob: newId(), bytes: patterned(size, size + 1) }));
      const revisions = await store.records.write([...blobs, { put: key, value: 'named' }]);
      assert.deepEqual(revisions.slice(0, -1), ['', '', '', '']);
      for (const { blob, bytes } of blobs) {
        assert.equal(await store.blobs.head(blob), bytes.byteLength);
        sameBytes(await read(store.blobs.get(blob)), bytes);
        assert.ok((await store.blobs.list(undefined, 10_000)).includes(blob));
        await store.blobs.delete(blob);
        await assert.rejects(read(store.blobs.get(blob)), failsWith('DigestUnknown'));
      }
    });

    test('takes a view of a larger buffer, and keeps nothing of it', async ({ store }) => {
      const id = newId();
      const buffer = Buffer.from(patterned(1000, 5));
      const writing = store.records.write([{ blob: id, bytes: buffer.subarray(100, 200) }]);
      buffer.fill(0);
      await writing;
      sameBytes(await read(store.blobs.get(id)), patterned(1000, 5).subarray(100, 200));
      assert.equal(buffer.byteLength, 1000);
    });

    test('refuses a blob whose id has bytes, small or large', async ({ store }) => {
      const key = newSpace();
      const [small, large] = [newId(), newId()];
      await store.records.write([{ blob: small, bytes: patterned(5) }]);
      await store.blobs.put(large, whole(patterned(100_000)));
      for (const blob of [small, large]) {
        const changes: Change[] = [
          { blob, bytes: patterned(6, 2) },
          { put: key, value: 1 },
        ];
        await assert.rejects(store.records.write(changes), failsWith('Conflict', { change: 0 }));
        assert.equal(await store.records.get(key), undefined);
      }
      await assert.rejects(store.blobs.put(small, whole(patterned(7))), failsWith('Conflict'));
      sameBytes(await read(store.blobs.get(small)), patterned(5));
      sameBytes(await read(store.blobs.get(large)), patterned(100_000));
    });
  });
}
