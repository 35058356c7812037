import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBytes } from '../../../src/storage/local/reading.ts';
import { LARGE_SLAB, SMALL_SLAB, openSlabs } from '../../../src/storage/local/slabs.ts';
import type { Slabs } from '../../../src/storage/local/slabs.ts';
import { patterned, read, sameBytes } from '../conformance/bodies.ts';
import { newDirectory } from './place.ts';

/** Slabs that count what is out. */
function counted(): Slabs & { readonly out: Set<Uint8Array>; readonly made: Set<Uint8Array> } {
  const slabs = openSlabs();
  const [out, made] = [new Set<Uint8Array>(), new Set<Uint8Array>()];
  return {
    out,
    made,
    take(wanted) {
      const slab = slabs.take(wanted);
      assert.ok(!out.has(slab), 'one buffer was given to two');
      out.add(slab);
      made.add(slab);
      return slab;
    },
    giveBack(slab) {
      assert.ok(out.delete(slab), 'a buffer was given back twice');
      slabs.giveBack(slab);
    },
  };
}

describe('local store: buffers', () => {
  it('gives small ones for short transfers, and when too many large ones are out', () => {
    const slabs = openSlabs(2);
    const [first, second, third] = [slabs.take(LARGE_SLAB), slabs.take(LARGE_SLAB), slabs.take(LARGE_SLAB)];
    assert.deepEqual([first.byteLength, second.byteLength, third.byteLength], [LARGE_SLAB, LARGE_SLAB, SMALL_SLAB]);
    slabs.giveBack(first);
    assert.equal(slabs.take(SMALL_SLAB).byteLength, SMALL_SLAB);
    assert.equal(slabs.take(LARGE_SLAB), first);
  });

  it('come back from every reading: whole, left early, failed', async () => {
    const { directory, remove } = await newDirectory();
    try {
      const path = join(directory, 'file');
      const bytes = patterned(5 * LARGE_SLAB);
      await writeFile(path, bytes);
      const slabs = counted();
      for (let round = 0; round < 5; round += 1) {
        sameBytes(await read(readFileBytes(path, undefined, slabs)), bytes);
        for await (const _ of readFileBytes(path, undefined, slabs)) break;
      }
      assert.equal(slabs.made.size, 2);
      const reading = readFileBytes(path, undefined, slabs)[Symbol.asyncIterator]();
      await reading.next();
      await writeFile(path, 'shorter');
      await assert.rejects(async () => {
        while (!(await reading.next()).done);
      }, /shorter/);
      assert.equal(slabs.out.size, 0);
    } finally {
      await remove();
    }
  });
});
