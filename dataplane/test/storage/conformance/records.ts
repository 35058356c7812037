import assert from 'node:assert/strict';
import { MAX_KEY } from '../../../src/storage/contract.ts';
import type { Json, Records } from '../../../src/storage/contract.ts';
import type { Suite } from '../conformance.ts';
import { failsWith, newSpace } from './bodies.ts';

const RACERS = 64;

export function describeRecords({ group, test }: Suite): void {
  group('records', () => {
    test('gives back any JSON value', async ({ store: { records } }) => {
      const values: Json[] = [
        null,
        true,
        0,
        -1.5e300,
        '',
        'é\u{1F600}\0"\\',
        [],
        {},
        [1, [2, { a: null }]],
        { a: { b: ['c'] }, 'ü/..': 1, __proto__x: 2 },
      ];
      for (const value of values) {
        const key = newSpace();
        const [revision] = await records.write([{ put: key, value }]);
        assert.deepEqual(await records.get(key), { key, value, revision });
      }
    });

    test('keeps what it was given, whatever a caller does to it afterwards, or to an answer', async ({ store: { records } }) => {
      const key = newSpace();
      const value = { list: [1] };
      const writing = records.write([{ put: key, value }]);
      value.list.push(2);
      await writing;
      const first = (await records.get(key))?.value as { list: number[] };
      assert.deepEqual(first, { list: [1] });
      assert.doesNotThrow(() => {
        // An answer that others may have too refuses to be changed.
        if (!Object.isFrozen(first.list)) first.list.push(3);
      });
      assert.deepEqual((await records.get(key))?.value, { list: [1] });
    });

    test('leaves out members that are undefined', async ({ store: { records } }) => {
      const key = newSpace();
      await records.write([{ put: key, value: { a: 1, b: undefined } }]);
      const entry = await records.get(key);
      assert.deepEqual(Object.keys(entry?.value as object), ['a']);
    });

    test('answers undefined for a key that no record has', async ({ store: { records } }) => {
      assert.equal(await records.get(newSpace()), undefined);
    });

    test('puts only where nothing is, with ifAbsent', async ({ store: { records } }) => {
      const key = newSpace();
      await records.write([{ put: key, value: 1, ifAbsent: true }]);
      await assert.rejects(records.write([{ put: key, value: 2, ifAbsent: true }]), failsWith('Conflict', { change: 0 }));
      assert.equal((await records.get(key))?.value, 1);
    });

    test('puts only over just that revision, with ifRevision', async ({ store: { records } }) => {
      const key = newSpace();
      await assert.rejects(records.write([{ put: key, value: 1, ifRevision: 'x' }]), failsWith('Conflict', { change: 0 }));
      const first = await write(records, key, 1);
      const [second] = await records.write([{ put: key, value: 2, ifRevision: first }]);
      await assert.rejects(records.write([{ put: key, value: 3, ifRevision: first }]), failsWith('Conflict', { change: 0 }));
      assert.deepEqual(await records.get(key), { key, value: 2, revision: second });
    });

    test('deletes only that revision, with ifRevision', async ({ store: { records } }) => {
      const key = newSpace();
      const first = await write(records, key, 1);
      const second = await write(records, key, 1);
      await assert.rejects(records.write([{ delete: key, ifRevision: first }]), failsWith('Conflict', { change: 0 }));
      assert.deepEqual(await records.write([{ delete: key, ifRevision: second }]), ['']);
      assert.equal(await records.get(key), undefined);
      await assert.rejects(records.write([{ delete: key, ifRevision: second }]), failsWith('Conflict', { change: 0 }));
    });

    test('puts over and deletes whatever stands there, without conditions', async ({ store: { records } }) => {
      const key = newSpace();
      await write(records, key, 1);
      await write(records, key, 2);
      assert.equal((await records.get(key))?.value, 2);
      assert.deepEqual(await records.write([{ delete: key }]), ['']);
      assert.deepEqual(await records.write([{ delete: key }]), ['']);
      assert.equal(await records.get(key), undefined);
    });

    test('never uses a revision twice', async ({ store: { records } }) => {
      const key = newSpace();
      const seen = new Set<string>();
      for (let round = 0; round < 20; round += 1) {
        for (const change of [
          { put: key, value: 'same' },
          { put: key, value: 'same' },
        ]) {
          const [revision = ''] = await records.write([change]);
          assert.ok(revision !== '' && !seen.has(revision));
          seen.add(revision);
        }
        await records.write([{ delete: key }]);
      }
      assert.equal(seen.size, 40);
    });

    test('lets exactly one of 64 win that create one key', async ({ store: { records } }) => {
      const key = newSpace();
      const winner = await race((n) => records.write([{ put: key, value: n, ifAbsent: true }]));
      assert.equal((await records.get(key))?.value, winner);
    });

    test('lets exactly one of 64 win that change one revision', async ({ store: { records } }) => {
      const key = newSpace();
      const revision = await write(records, key, -1);
      const winner = await race((n) => records.write([{ put: key, value: n, ifRevision: revision }]));
      assert.equal((await records.get(key))?.value, winner);
    });

    test('loses no count of 64 that retry', async ({ store: { records } }) => {
      const key = newSpace();
      await write(records, key, 0);
      await Promise.all(Array.from({ length: RACERS }, () => increment(records, key)));
      assert.equal((await records.get(key))?.value, RACERS);
    });

    test('takes keys of every form', async ({ store: { records } }) => {
      const space = newSpace();
      const tails = [
        '..',
        '../..',
        './x',
        '%',
        '%2F',
        'a/',
        'a//',
        '/',
        '\\',
        'é',
        'e\u0301',
        '\u{1F600}',
        '\uFFFD',
        '\uE000',
        'a\0b',
        ' ',
        '\n',
        "';--",
        '*?[',
        '_%',
      ];
      for (const tail of tails) await records.write([{ put: space + tail, value: tail, ifAbsent: true }]);
      for (const tail of tails) assert.equal((await records.get(space + tail))?.value, tail);
      const listed = await records.scan({ prefix: space, limit: 100 });
      assert.equal(listed.length, tails.length);
    });

    test('takes the longest key, and refuses longer ones', async ({ store: { records } }) => {
      const space = newSpace();
      for (const character of ['x', 'é', '\u{1F600}']) {
        const room = Math.floor((MAX_KEY - space.length) / Buffer.byteLength(character));
        const key = space + character.repeat(room);
        await write(records, key, 1);
        assert.equal((await records.get(key))?.value, 1);
        await assert.rejects(records.write([{ put: key + character, value: 1 }]), failsWith('NameTooLong'));
        await assert.rejects(records.get(key + character), failsWith('NameTooLong'));
      }
    });

    test('refuses what is no key', async ({ store: { records } }) => {
      for (const key of ['', '\0a', 'a\0', 'a\ud800', '\udc00a']) {
        await assert.rejects(records.get(key), failsWith('InvalidArgument'));
        await assert.rejects(records.write([{ put: key, value: 1 }]), failsWith('InvalidArgument'));
        await assert.rejects(records.write([{ delete: key }]), failsWith('InvalidArgument'));
      }
    });

    test('shows a write at once to a second opening of the place', async ({ store, reopen }) => {
      const other = (await reopen?.()) ?? assert.fail('skip this test for a driver that cannot be opened twice');
      try {
        const space = newSpace();
        for (let n = 0; n < 50; n += 1) {
          const [writer, reader] = n % 2 === 0 ? [store, other] : [other, store];
          const key = `${space}${n}`;
          const revision = await write(writer.records, key, n);
          assert.deepEqual(await reader.records.get(key), { key, value: n, revision });
          assert.equal((await reader.records.scan({ prefix: space, limit: 1000 })).length, n + 1);
        }
        const key = newSpace();
        await write(store.records, key, 0);
        await Promise.all(Array.from({ length: RACERS }, (_, n) => increment((n % 2 === 0 ? store : other).records, key)));
        assert.equal((await store.records.get(key))?.value, RACERS);
      } finally {
        await other.close();
      }
    });
  });
}

async function write(records: Records, key: string, value: Json): Promise<string> {
  const [revision = ''] = await records.write([{ put: key, value }]);
  return revision;
}

/** Runs all at once and answers which one won; the others must have lost by `Conflict`. */
async function race(attempt: (n: number) => Promise<unknown>): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: RACERS }, (_, n) => attempt(n)));
  for (const result of results) if (result.status === 'rejected') failsWith('Conflict', { change: 0 })(result.reason);
  const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
  assert.equal(winners.length, 1);
  return winners[0] ?? -1;
}

async function increment(records: Records, key: string): Promise<void> {
  for (;;) {
    const entry = await records.get(key);
    try {
      await records.write([{ put: key, value: Number(entry?.value) + 1, ifRevision: entry?.revision }]);
      return;
    } catch (thrown) {
      failsWith('Conflict', { change: 0 })(thrown);
    }
  }
}
