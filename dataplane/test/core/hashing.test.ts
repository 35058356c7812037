import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { HashAlgorithm } from '../../src/core/hashing/checksums.ts';
import { checksumOf, startHash } from '../../src/core/hashing/checksums.ts';
import { SLAB_BYTES } from '../../src/core/hashing/slabs.ts';
import { hashStream, openStreamHashes } from '../../src/core/hashing/stream.ts';

/** The check values of the algorithms' own catalogues, over the text 123456789. */
const KNOWN: Readonly<Record<HashAlgorithm, string>> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  MD5: '25f9e794323b453885f5181f1b624d0b',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  SHA512:
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
};
const ALGORITHMS = Object.keys(KNOWN) as HashAlgorithm[];

/** Chunks whose one buffer is overwritten as soon as the next is asked for, as a socket's would be. */
async function* lent(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const piece = bytes.subarray(at, at + sizes[turn % sizes.length]!);
    buffer.fill(0xee);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    at += piece.length;
  }
}

describe('core: hashing', () => {
  it('gives the published check values, also when instances are used again and interleaved', async () => {
    for (const algorithm of [...ALGORITHMS, ...ALGORITHMS]) {
      assert.equal(Buffer.from(await checksumOf(algorithm, Buffer.from('123456789')), 'base64').toString('hex'), KNOWN[algorithm]);
    }
    for (const algorithm of ALGORITHMS) {
      const [one, two] = [await startHash(algorithm), await startHash(algorithm)];
      one.update(Buffer.from('12345'));
      two.update(Buffer.from('other'));
      one.update(Buffer.from('6789'));
      two.digest();
      assert.equal(one.digest().toString('hex'), KNOWN[algorithm]);
    }
  });

  it('agrees with hashing at once, however the bytes are cut and lent, and passes the same bytes on', async () => {
    const size = fc.constantFrom(0, 1, SLAB_BYTES - 1, SLAB_BYTES, SLAB_BYTES + 1, 5 * SLAB_BYTES + 17);
    await fc.assert(
      fc.asyncProperty(size, fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 4 }), async (length, sizes) => {
        const bytes = Buffer.alloc(length, createHash('sha512').update(String(length)).digest());
        const hashing = openStreamHashes(ALGORITHMS);
        const passed = createHash('sha256');
        for await (const chunk of hashing.through(lent(bytes, sizes))) passed.update(chunk);
        const values = await hashing.digests();
        hashing.drop();
        assert.equal(passed.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
        for (const algorithm of ALGORITHMS)
          assert.equal(values.get(algorithm)?.toString('base64'), await checksumOf(algorithm, bytes), algorithm);
      }),
      { numRuns: 25 },
    );
  });

  it('hashes many small bodies at once, with one instance for each algorithm', async () => {
    const bodies = Array.from({ length: 100 }, (_, n) => Buffer.alloc(4096, `body ${n}`));
    const each = (algorithm: HashAlgorithm) => Promise.all(bodies.map((body) => checksumOf(algorithm, body)));
    const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: { instantiate(...given: unknown[]): Promise<unknown> } };
    const instantiate = wasm.instantiate.bind(wasm);
    let instances = 0;
    wasm.instantiate = (...given) => {
      instances++;
      return instantiate(...given);
    };
    try {
      for (const algorithm of ALGORITHMS) {
        const running = await Promise.all(bodies.map(() => startHash(algorithm)));
        const expected = running.map((hash, n) => (hash.update(bodies[n]!), hash.digest().toString('base64')));
        instances = 0;
        assert.deepEqual(await each(algorithm), expected, algorithm);
        assert.ok(instances <= 1, `${algorithm} took ${instances} instances`);
      }
    } finally {
      wasm.instantiate = instantiate;
    }
  });

  it('runs many streams at once without mixing them up', async () => {
    const bodies = Array.from({ length: 20 }, (_, n) => Buffer.alloc(600_000 + n, n));
    const values = await Promise.all(bodies.map((body) => hashStream(lent(body, [65_536]), ['SHA256', 'MD5'])));
    for (const [n, hashes] of values.entries())
      assert.equal(hashes.get('SHA256')?.toString('hex'), createHash('sha256').update(bodies[n]!).digest('hex'));
  });

  it('hands a failing source on, and lets go', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void, void> {
      yield Buffer.alloc(3 * SLAB_BYTES);
      throw new Error('gone');
    }
    await assert.rejects(hashStream(failing(), ['MD5']), /gone/);
    await hashStream(lent(Buffer.alloc(10), [10]), ['MD5']);
  });
});
