import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPartMemory, type PartMemory } from '../../../src/storage/s3/partMemory.ts';

describe('s3 driver: the memory of parts', () => {
  const take = (memory: PartMemory, count: number) => Promise.all(Array.from({ length: count }, () => memory.take()));

  it('lets who wants more than there is wait for what is on its way, first come, first served', async () => {
    const memory = openPartMemory(4);
    const leaving = memory.leave(await take(memory, 4));
    const order: number[] = [];
    const taking = [1, 2, 3].map(async (n) => {
      await memory.take();
      order.push(n);
    });
    await sleep(5);
    assert.deepEqual(order, []);
    leaving.back();
    await Promise.all(taking);
    assert.deepEqual(order, [1, 2, 3]);
  });

  it('gives more than there shall be when nothing is on its way, since parts must get full to leave', async () => {
    const memory = openPartMemory(4);
    const pieces = await take(memory, 6);
    const leaving = memory.leave(pieces.slice(0, 3));
    const waiting = memory.take();
    assert.equal(await Promise.race([waiting, sleep(5, 'nothing')]), 'nothing');
    leaving.lost();
    assert.ok(await waiting);
  });

  it('does not use again what was lost, and ends a leaving once', async () => {
    const memory = openPartMemory(4);
    const pieces = await take(memory, 2);
    const [one, other] = pieces.map((piece) => memory.leave([piece]));
    one?.lost();
    one?.back();
    other?.back();
    other?.lost();
    const later = await take(memory, 4);
    assert.ok(!later.includes(pieces[0] as Uint8Array) && later.includes(pieces[1] as Uint8Array));
    memory.leave(later);
    assert.equal(await Promise.race([memory.take(), sleep(5, 'nothing')]), 'nothing');
  });

  it('frees what it does not keep: beyond its measure at once, all of it when nobody wanted any for a while', async () => {
    const memory = openPartMemory(2, 20);
    const pieces = await take(memory, 3);
    memory.give(pieces);
    assert.equal(pieces.filter(({ byteLength }) => byteLength > 0).length, 2);
    await sleep(60);
    assert.equal(pieces.filter(({ byteLength }) => byteLength > 0).length, 0);
    assert.ok((await memory.take()).byteLength > 0);
  });
});
