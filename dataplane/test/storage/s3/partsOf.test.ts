import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { openPartMemory } from '../../../src/storage/s3/partMemory.ts';
import { partsOf } from '../../../src/storage/s3/partsOf.ts';
import { failing, lending, patterned } from '../conformance/bodies.ts';

const MIB = 1024 * 1024;

describe('s3 driver: the memory of parts', () => {
  it('is used again by later parts, and what was gathered is what was lent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 1, max: 9000 }), async (size, chunk) => {
        const memory = openPartMemory(4096, 2);
        const pieces: Uint8Array[] = [];
        const buffers = new Set<ArrayBufferLike>();
        for await (const { bytes, release } of partsOf(lending(patterned(size), chunk), memory, () => 4096)) {
          pieces.push(Buffer.from(bytes));
          buffers.add(bytes.buffer);
          release();
        }
        assert.ok(Buffer.concat(pieces).equals(patterned(size)));
        assert.ok(buffers.size <= 2, `${buffers.size} buffers for ${pieces.length} parts`);
      }),
    );
  });

  it('stays with a part that was not released, whatever comes after it', async () => {
    const memory = openPartMemory(4096, 2);
    const kept: Uint8Array[] = [];
    for await (const { bytes } of partsOf(lending(patterned(20_000), 1000), memory, () => 4096)) kept.push(bytes);
    assert.ok(Buffer.concat(kept).equals(patterned(20_000)));
  });

  it('is given back when the body breaks', async () => {
    const memory = openPartMemory(4096, 2);
    const first = memory.take(4096);
    memory.give(first);
    const { body } = failing(32 * 1024, new Error('broken'));
    const gathering = async () => {
      for await (const { release } of partsOf(body, memory, () => 4096)) release();
    };
    await assert.rejects(gathering(), /broken/);
    assert.equal(memory.take(4096).buffer, first.buffer);
  });

  it('is little as long as little has come', async () => {
    const taken: number[] = [];
    const inner = openPartMemory(8 * MIB, 2);
    const memory = { ...inner, take: (bytes: number) => (taken.push(bytes), inner.take(bytes)) };
    for await (const { release } of partsOf(lending(patterned(1000), 100), memory, () => 8 * MIB)) release();
    assert.deepEqual(taken, [MIB]);
  });
});
