import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { openPartMemory, type PartMemory } from '../../../src/storage/s3/partMemory.ts';
import { partsOf, type GatheredPart, type Gathering } from '../../../src/storage/s3/partsOf.ts';
import { startPayloadHash, type Payload } from '../../../src/storage/s3/payload.ts';
import { PIECE } from '../../../src/storage/s3/pieces.ts';
import { failing, lending, patterned } from '../conformance/bodies.ts';

/** Two pieces and a bit, so that the last piece of a part is not full. */
const PART = 2 * PIECE + 1000;

describe('s3 driver: the parts of a body', () => {
  const gathering = (memory: PartMemory, endpoint = 'http://plain.example'): Gathering => ({
    memory,
    startHash: () => startPayloadHash(endpoint),
    wantedSize: () => PART,
  });
  const bytesOf = ({ pieces }: Payload): Buffer => Buffer.concat(pieces);

  it('are what was lent, of the wanted size, hashed, in memory that is used again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4 * PART }), fc.integer({ min: 1000, max: PART + 1 }), async (size, chunk) => {
        const memory = openPartMemory(6);
        const gathered: Buffer[] = [];
        const buffers = new Set<ArrayBufferLike>();
        for await (const { payload, last, back } of partsOf(lending(patterned(size), chunk), gathering(memory))) {
          const bytes = bytesOf(payload);
          assert.equal(payload.size, bytes.byteLength);
          assert.ok(last ? payload.size < PART : payload.size === PART);
          assert.equal(payload.sha256, createHash('sha256').update(bytes).digest('hex'));
          gathered.push(bytes);
          for (const { buffer } of payload.pieces) buffers.add(buffer);
          back();
        }
        assert.ok(Buffer.concat(gathered).equals(patterned(size)));
        assert.ok(buffers.size <= 3, `${buffers.size} buffers for ${gathered.length} parts`);
      }),
      { numRuns: 30 },
    );
  });

  it('keep their memory until they are back, and for ever once they are lost', async () => {
    const memory = openPartMemory(100);
    const parts: GatheredPart[] = [];
    for await (const part of partsOf(lending(patterned(4 * PART), 10_000), gathering(memory))) {
      if (parts.length === 1) part.lost();
      parts.push(part);
    }
    parts[1]?.back();
    const later = await Promise.all(Array.from({ length: 20 }, () => memory.take([])));
    for (const piece of later) piece.fill(0);
    assert.ok(Buffer.concat(parts.map(({ payload }) => bytesOf(payload))).equals(patterned(4 * PART)));
  });

  it('are not hashed where TLS covers them', async () => {
    for await (const { payload, back } of partsOf(lending(patterned(10), 10), gathering(openPartMemory(1), 'https://secure.example'))) {
      assert.equal(payload.sha256, 'UNSIGNED-PAYLOAD');
      back();
    }
  });

  it('give their memory back when the body breaks', async () => {
    const memory = openPartMemory(1);
    const first = await memory.take([]);
    memory.give([first]);
    const { body } = failing(32 * 1024, new Error('broken'));
    await assert.rejects(async () => {
      for await (const { back } of partsOf(body, gathering(memory))) back();
    }, /broken/);
    assert.equal((await memory.take([])).buffer, first.buffer);
  });

  it('hold little while little has come', async () => {
    let taken = 0;
    const inner = openPartMemory(100);
    const memory: PartMemory = { ...inner, take: (part) => ((taken += 1), inner.take(part)) };
    for await (const { back } of partsOf(lending(patterned(PIECE), 1000), gathering(memory))) back();
    assert.equal(taken, 1);
  });
});
