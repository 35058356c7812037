import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { decodeAwsChunked, type ChunkedForm } from '../../src/authn/awsChunked.ts';
import { signText } from '../../src/authn/derivedKey.ts';
import type { ChunkSeed } from '../../src/authn/payloadAuth.ts';
import { ArtefactError } from '../../src/errors.ts';
import { collect, EMPTY_SHA256, refused, wire } from './requests.ts';

const SEED: ChunkSeed = {
  key: Buffer.alloc(32, 7),
  amzDate: '20260101T000000Z',
  scope: '20260101/us-east-1/s3/aws4_request',
  signature: 'ab'.repeat(32),
};
const CHECKSUM = 'x-amz-checksum-crc32';

interface Upload {
  readonly chunks: readonly Uint8Array[];
  readonly signed: boolean;
  /** undefined: a form without trailers. */
  readonly trailers?: Readonly<Record<string, string>>;
  readonly trailerEnd?: string;
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The wire form as a client writes it. */
function encode({ chunks, signed, trailers, trailerEnd = '\r\n' }: Upload): Buffer {
  let previous = SEED.signature;
  const sign = (algorithm: string, ...hashes: readonly string[]): string => {
    previous = signText(SEED.key, [algorithm, SEED.amzDate, SEED.scope, previous, ...hashes].join('\n'));
    return previous;
  };
  const header = (bytes: Uint8Array): string => {
    const signature = signed ? `;chunk-signature=${sign('AWS4-HMAC-SHA256-PAYLOAD', EMPTY_SHA256, sha256(bytes))}` : '';
    return `${bytes.length.toString(16)}${signature}\r\n`;
  };
  const parts = chunks.flatMap((bytes) => [Buffer.from(header(bytes)), bytes, Buffer.from('\r\n')]);
  const lines = Object.entries(trailers ?? {}).map(([name, value]) => `${name}:${value}`);
  const canonical = lines.toSorted().map((line) => `${line}\n`);
  const last = header(new Uint8Array());
  if (signed && trailers !== undefined)
    lines.push(`x-amz-trailer-signature:${sign('AWS4-HMAC-SHA256-TRAILER', sha256(canonical.join('')))}`);
  return Buffer.concat([...parts, Buffer.from(`${last}${lines.map((line) => `${line}\r\n`).join('')}${trailerEnd}`)]);
}

function formOf({ chunks, signed, trailers }: Upload): ChunkedForm {
  return {
    seed: signed ? SEED : undefined,
    announced: trailers && Object.keys(trailers),
    decodedLength: chunks.reduce((sum, bytes) => sum + bytes.length, 0),
  };
}

function decode(bytes: Uint8Array, form: ChunkedForm, sizes: readonly number[] = []): Promise<Buffer> {
  return collect(decodeAwsChunked(wire(bytes, sizes), form).bytes);
}

const big = fc.uint8Array({ minLength: 8192, maxLength: 9000 });
const small = fc.uint8Array({ minLength: 1, maxLength: 100 });
const trailers: fc.Arbitrary<Record<string, string>> = fc.constantFrom<Record<string, string>>(
  { [CHECKSUM]: 'AAAAAA==' },
  { [CHECKSUM]: 'AAAAAA==', 'x-amz-checksum-sha1': 'x' },
);
const uploads: fc.Arbitrary<Upload> = fc.oneof(
  fc.record({ chunks: fc.array(small, { maxLength: 5 }), signed: fc.constant(false), trailers: fc.oneof(trailers, fc.constant({})) }),
  fc
    .record({ many: fc.array(big, { maxLength: 2 }), end: fc.option(small), trailers: fc.oneof(trailers, fc.constant(undefined)) })
    .map(({ many, end, trailers: some }) => ({ chunks: end === null ? many : [...many, end], signed: true, trailers: some })),
);
const HELLO = [Buffer.from('hello '), Buffer.from('world')];
const LARGE = [Buffer.alloc(8192, 'x'), Buffer.from('end')];

describe('aws-chunked', () => {
  it('decodes every form, however the network cuts it', async () => {
    await fc.assert(
      fc.asyncProperty(uploads, fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 40 }), async (upload, sizes) => {
        const decoded = decodeAwsChunked(wire(encode(upload), sizes), formOf(upload));
        assert.deepEqual(await collect(decoded.bytes), Buffer.concat(upload.chunks));
        assert.deepEqual(Object.fromEntries(decoded.trailers), upload.trailers ?? {});
      }),
    );
  });

  it('decodes byte by byte', async () => {
    for (const signed of [true, false]) {
      const upload = { chunks: LARGE, signed, trailers: { [CHECKSUM]: 'AAAAAA==' } };
      const bytes = encode(upload);
      assert.deepEqual(await decode(bytes, formOf(upload), new Array<number>(bytes.length).fill(1)), Buffer.concat(LARGE));
    }
  });

  it('hands on views of what arrived, not copies', async () => {
    const upload = { chunks: LARGE, signed: true };
    const bytes = encode(upload);
    async function* source() {
      yield bytes;
    }
    for await (const run of decodeAwsChunked(source(), formOf(upload)).bytes) assert.equal(run.buffer, bytes.buffer);
  });

  it('never answers other content or trailers for a changed byte, where everything is signed', async () => {
    const upload = { chunks: LARGE, signed: true, trailers: { [CHECKSUM]: 'AAAAAA==' } };
    const bytes = encode(upload);
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const changed = Buffer.from(bytes);
        changed[place] = (changed[place] as number) ^ change;
        const decoded = decodeAwsChunked(wire(changed), formOf(upload));
        const outcome = await collect(decoded.bytes).catch((error: unknown) => error);
        refusals += Number(outcome instanceof ArtefactError);
        // the case of a trailer's name and how its line ends mean nothing; everything else does
        if (outcome instanceof ArtefactError) return;
        assert.deepEqual(outcome, Buffer.concat(LARGE));
        assert.deepEqual([...decoded.trailers], [[CHECKSUM, 'AAAAAA==']]);
      }),
      { numRuns: 300 },
    );
    assert.ok(refusals > 250, `${refusals} refusals`);
  });

  it('accepts no body that was cut, doubled or reordered where everything is signed', async () => {
    const upload = { chunks: [Buffer.alloc(8192, 'a'), Buffer.alloc(8192, 'b'), Buffer.from('c')], signed: true };
    const bytes = encode(upload);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length }), fc.nat({ max: bytes.length }), async (from, to) => {
        if (from === to) return;
        const changed = Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
        const outcome = await decode(changed, formOf(upload)).catch((error: unknown) => error);
        assert.ok(outcome instanceof ArtefactError && outcome.code !== 'Internal', String(outcome));
      }),
    );
  });

  it('answers an ArtefactError, or content of the declared length, to any bytes', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '0\r\n',
        '\r\n',
        '5\r\nhello\r\n',
        '5\r\n',
        'hello',
        `${CHECKSUM}:AAAAAA==\r\n`,
        '\n',
        ':',
        ';chunk-signature=',
        'ffffffffffffff\r\n',
      ),
      fc.string({ maxLength: 12 }),
    );
    const bodies = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join('')));
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), fc.boolean(), async (body, signed, trailed) => {
        const form = { seed: signed ? SEED : undefined, announced: trailed ? [CHECKSUM] : undefined, decodedLength: 5 };
        const outcome = await decode(body, form).catch((error: unknown) => error);
        if (outcome instanceof Buffer) assert.equal(outcome.length, 5);
        else assert.ok(outcome instanceof ArtefactError && outcome.code !== 'Internal', String(outcome));
      }),
      { numRuns: 500 },
    );
  });

  describe('takes what clients in use send', () => {
    const form = { announced: [CHECKSUM], decodedLength: 5 };
    for (const [name, end] of [
      ['an LF behind the trailer, and two empty lines', `${CHECKSUM}:AAAAAA==\n\r\n\r\n`],
      ['white space around the colon', `${CHECKSUM} : AAAAAA== \r\n\r\n`],
      ['upper case in the trailer', `X-Amz-Checksum-Crc32:AAAAAA==\r\n\r\n`],
    ] as const) {
      it(name, async () => {
        assert.equal((await decode(Buffer.from(`5\r\nhello\r\n0\r\n${end}`), form)).toString(), 'hello');
      });
    }
    it('upper-case and padded sizes', async () => {
      const body = Buffer.from(`000A\r\n0123456789\r\n0\r\n\r\n`);
      assert.equal((await decode(body, { announced: [], decodedLength: 10 })).length, 10);
    });
  });

  describe('refuses', () => {
    const unsigned = formOf({ chunks: HELLO, signed: false, trailers: { [CHECKSUM]: 'x' } });
    const plain = { announced: [], decodedLength: 5 };
    const cases: readonly [string, string, ChunkedForm, Parameters<typeof refused>[1]][] = [
      ['an empty body', '', plain, 'BodyIncomplete'],
      ['a body that ends within a size', '5', plain, 'BodyIncomplete'],
      ['a body that ends within a chunk', '5\r\nhel', plain, 'BodyIncomplete'],
      ['a body that ends behind a chunk', '5\r\nhello\r\n', plain, 'BodyIncomplete'],
      ['a body without its end', '5\r\nhello\r\n0\r\n', plain, 'BodyIncomplete'],
      ['fewer bytes than announced', '4\r\nhell\r\n0\r\n\r\n', plain, 'BodyIncomplete'],
      ['more bytes than announced', '6\r\nhello!\r\n0\r\n\r\n', plain, 'InvalidRequest'],
      ['a size that no body has', 'fffffffffffff\r\n', plain, 'InvalidRequest'],
      ['a size that is no number', 'zz\r\n', plain, 'MalformedBody'],
      ['a negative size', '-5\r\nhello\r\n', plain, 'MalformedBody'],
      ['a size of too many digits', '00000000000005\r\nhello\r\n0\r\n\r\n', plain, 'MalformedBody'],
      ['an endless size line', '5'.repeat(1000), plain, 'MalformedBody'],
      ['a size line with LF alone', '5\nhello\r\n0\r\n\r\n', plain, 'MalformedBody'],
      ['a chunk that is longer than its size', '4\r\nhello\r\n0\r\n\r\n', plain, 'MalformedBody'],
      ['a signature where none belongs', `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0\r\n\r\n`, plain, 'MalformedBody'],
      ['bytes behind the end', '5\r\nhello\r\n0\r\n\r\nmore', plain, 'BodyIncomplete'],
      ['a line behind the end', '5\r\nhello\r\n0\r\n\r\nmore\r\n', plain, 'MalformedBody'],
      ['a trailer nobody announced', `5\r\nhello\r\n0\r\n${CHECKSUM}:x\r\n\r\n`, plain, 'MalformedBody'],
      ['another trailer than announced', 'b\r\nhello world\r\n0\r\nx-amz-checksum-sha1:x\r\n\r\n', unsigned, 'MalformedBody'],
      ['no trailer where one was announced', 'b\r\nhello world\r\n0\r\n\r\n', unsigned, 'MalformedBody'],
      ['a trailer twice', `b\r\nhello world\r\n0\r\n${CHECKSUM}:x\r\n${CHECKSUM}:x\r\n\r\n`, unsigned, 'MalformedBody'],
      [
        'a trailer signature where nothing is signed',
        `b\r\nhello world\r\n0\r\n${CHECKSUM}:x\r\nx-amz-trailer-signature:0\r\n\r\n`,
        unsigned,
        'MalformedBody',
      ],
      ['an endless trailer', `b\r\nhello world\r\n0\r\n${CHECKSUM}:${'x'.repeat(2000)}`, unsigned, 'MalformedBody'],
      ['a trailer that was cut', `b\r\nhello world\r\n0\r\n${CHECKSUM}:x\r\n`, unsigned, 'BodyIncomplete'],
      ['endless empty lines', `b\r\nhello world\r\n0\r\n${'\r\n'.repeat(100)}`, unsigned, 'MalformedBody'],
      ['an unsigned chunk where all are signed', '5\r\nhello\r\n0\r\n\r\n', { seed: SEED, decodedLength: 5 }, 'MalformedBody'],
    ];
    for (const [name, body, form, code] of cases) {
      it(name, async () => {
        await refused(() => decode(Buffer.from(body), form), code);
      });
    }

    it('signed chunks that are too small, but for the last', async () => {
      const upload = { chunks: HELLO, signed: true };
      const error = await refused(() => decode(encode(upload), formOf(upload)), 'InvalidRequest', /Only the last chunk/);
      assert.equal(error.details['s3Code'], 'InvalidChunkSizeError');
      const last = { chunks: [HELLO[0] as Buffer], signed: true };
      assert.equal((await decode(encode(last), formOf(last))).toString(), 'hello ');
    });

    it('chunks signed for another request', async () => {
      const upload = { chunks: LARGE, signed: true };
      const form = { ...formOf(upload), seed: { ...SEED, signature: 'cd'.repeat(32) } };
      await refused(() => decode(encode(upload), form), 'SignatureMismatch');
    });

    it('a trailer without its signature where all is signed', async () => {
      const upload = { chunks: LARGE, signed: true, trailers: { [CHECKSUM]: 'x' } };
      const text = encode(upload)
        .toString('latin1')
        .replace(/x-amz-trailer-signature:[0-9a-f]+\r\n/, '');
      const error = await refused(() => decode(Buffer.from(text, 'latin1'), formOf(upload)), 'MalformedBody');
      assert.equal(error.details['s3Code'], 'MalformedTrailerError');
    });
  });

  it('passes on an ArtefactError of the source, and makes others of its kind', async () => {
    async function* failing(error: Error) {
      yield Buffer.from('5\r\nhe');
      throw error;
    }
    const form = { announced: [], decodedLength: 5 };
    const slow = new ArtefactError('BodyTooSlow', 'too slow');
    await refused(() => collect(decodeAwsChunked(failing(slow), form).bytes), 'BodyTooSlow');
    await refused(() => collect(decodeAwsChunked(failing(new Error('aborted')), form).bytes), 'BodyIncomplete');
  });

  it('lets the source go when its reader stops', async () => {
    let closed = false;
    async function* source() {
      try {
        for (;;) yield Buffer.from('5\r\nhello\r\n');
      } finally {
        closed = true;
      }
    }
    for await (const _ of decodeAwsChunked(source(), { announced: [], decodedLength: 1000 }).bytes) break;
    assert.equal(closed, true);
  });
});
