import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { openPartMemory, type PartMemory } from '../../../src/storage/s3/partMemory.ts';

/** One part with so many pieces. */
async function fill(memory: PartMemory, count: number): Promise<Uint8Array[]> {
  const part: Uint8Array[] = [];
  while (part.length < count) part.push(await memory.take(part));
  return part;
}

/** How many pieces of a memory are held at most. */
function counting(memory: PartMemory): { readonly memory: PartMemory; readonly most: () => number } {
  let [held, most] = [0, 0];
  const less = (part: readonly unknown[]) => void (held -= part.length);
  return {
    most: () => most,
    memory: {
      async take(part) {
        const piece = await memory.take(part);
        most = Math.max(most, ++held);
        return piece;
      },
      leave(part) {
        const { back, lost } = memory.leave(part);
        return { back: () => (less(part), back()), lost: () => (less(part), lost()) };
      },
      give: (part) => (less(part), memory.give(part)),
    },
  };
}

describe('s3 driver: the memory of parts', () => {
  it('lets who wants more than there is wait for what is on its way, the fullest first, then who came first', async () => {
    const memory = openPartMemory(4);
    const leaving = memory.leave(await fill(memory, 3));
    const fuller = await fill(memory, 1);
    const order: string[] = [];
    const taking = Object.entries({ first: [], second: [], fuller, third: [] }).map(async ([name, part]) => {
      await memory.take(part);
      order.push(name);
    });
    await sleep(5);
    assert.deepEqual(order, []);
    leaving.back();
    await Promise.all(taking);
    assert.deepEqual(order, ['fuller', 'first', 'second', 'third']);
  });

  it('gives more than there shall be when nothing is on its way, since parts must get full to leave', async () => {
    const memory = openPartMemory(4);
    const part = await fill(memory, 6);
    const leaving = memory.leave(part);
    const waiting = memory.take([]);
    assert.equal(await Promise.race([waiting, sleep(5, 'nothing')]), 'nothing');
    leaving.lost();
    assert.ok(await waiting);
  });

  it('is never more than one part over its measure, however many parts are filled as fast as can be', async () => {
    const [measure, partPieces] = [40, 20];
    const { memory, most } = counting(openPartMemory(measure, { slowMs: 60_000 }));
    const sender = async (): Promise<void> => {
      for (let parts = 0; parts < 3; parts++) {
        const part: Uint8Array[] = [];
        while (part.length < partPieces) {
          part.push(await memory.take(part));
          await turn();
        }
        const { back } = memory.leave(part);
        setTimeout(back, 2);
      }
    };
    await Promise.all(Array.from({ length: 30 }, sender));
    assert.ok(most() <= measure + partPieces, `${most()} pieces`);
  });

  it('lets nobody wait long for a part whose sender is slow', async () => {
    const memory = openPartMemory(2, { slowMs: 20 });
    const slow = await fill(memory, 4);
    const others = [[], []].map((part) => memory.take(part));
    assert.equal(await Promise.race([...others, sleep(5, 'nothing')]), 'nothing');
    await Promise.all(others);
    slow.push(await memory.take(slow));
    assert.equal(slow.length, 5);
  });

  it('goes on with the next part when the one ahead breaks', async () => {
    const memory = openPartMemory(2, { slowMs: 60_000 });
    const ahead = await fill(memory, 4);
    const other = memory.take([]);
    memory.give(ahead);
    assert.ok(await other);
  });

  it('does not use again what was lost, and ends a leaving once', async () => {
    const memory = openPartMemory(4);
    const pieces = await fill(memory, 2);
    const [one, other] = pieces.map((piece) => memory.leave([piece]));
    one?.lost();
    one?.back();
    other?.back();
    other?.lost();
    const later = await fill(memory, 4);
    assert.ok(!later.includes(pieces[0] as Uint8Array) && later.includes(pieces[1] as Uint8Array));
    memory.leave(later);
    assert.equal(await Promise.race([memory.take([]), sleep(5, 'nothing')]), 'nothing');
  });

  it('frees what it does not keep: beyond its measure at once, all of it when nobody wanted any for a while', async () => {
    const memory = openPartMemory(2, { idleMs: 20 });
    const pieces = await fill(memory, 3);
    memory.give(pieces);
    assert.equal(pieces.filter(({ byteLength }) => byteLength > 0).length, 2);
    await sleep(60);
    assert.equal(pieces.filter(({ byteLength }) => byteLength > 0).length, 0);
    assert.ok((await memory.take([])).byteLength > 0);
  });
});
