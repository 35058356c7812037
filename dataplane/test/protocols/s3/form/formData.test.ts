import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError, isError } from '../../../../src/errors.ts';
import { FORM_LIMITS, readForm } from '../../../../src/protocols/s3/form/formData.ts';
import type { Form } from '../../../../src/protocols/s3/form/formData.ts';
import type { Bytes } from '../../../../src/storage/contract.ts';
import { lent } from '../objects/stage.ts';
import { BOUNDARY, formOf } from './forms.ts';
import type { Piece } from './forms.ts';

const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

async function read(form: Form): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of form.bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const open = (pieces: readonly Piece[], chunk?: number): Promise<Form> => readForm(TYPE, lent(formOf(pieces), chunk));

/** A form whose file never ends. */
async function* endless(onRelease: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield formOf([{ name: 'file', value: 'x'.repeat(1000), filename: 'f' }]).subarray(0, 600);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      yield Buffer.alloc(1000, 'x');
    }
  } finally {
    onRelease();
  }
}

describe('upload forms', () => {
  it('give fields by lower-cased name and the file as a stream', async () => {
    const form = await open([
      { name: 'Key', value: 'a/${filename}' },
      { name: 'X-Amz-Meta-Ü', value: 'grün' },
      { name: 'file', value: 'content', filename: 'C:\\docs\\ü.txt', type: 'text/plain' },
      { name: 'submit', value: 'Upload' },
    ]);
    assert.deepEqual(
      [...form.fields],
      [
        ['key', 'a/${filename}'],
        ['x-amz-meta-ü', 'grün'],
      ],
    );
    assert.equal(form.filename, 'ü.txt');
    assert.equal((await read(form)).toString(), 'content');
  });

  it('arrive in chunks of any size, through buffers that are used again', async () => {
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256));
    for (const chunk of [1, 7, 64, 1000, 8192, 200_000]) {
      const size = chunk < 64 ? 500 : body.length;
      const form = await open(
        [
          { name: 'key', value: 'k' },
          { name: 'file', value: body.subarray(0, size), filename: 'f' },
        ],
        chunk,
      );
      assert.equal(form.fields.get('key'), 'k');
      assert.ok((await read(form)).equals(body.subarray(0, size)), `chunks of ${chunk}`);
    }
  });

  it('may give every field a file name, and the file none', async () => {
    const form = await open([
      { name: 'key', value: 'k', filename: 'key' },
      { name: 'acl', value: 'private', filename: 'acl', type: 'application/octet-stream' },
      { name: 'file', value: 'grün\n' },
    ]);
    assert.deepEqual(
      [...form.fields],
      [
        ['key', 'k'],
        ['acl', 'private'],
      ],
    );
    assert.deepEqual([form.filename, (await read(form)).toString()], ['', 'grün\n']);
  });

  it('a nameless file that is not text is refused, not garbled', async () => {
    const form = await open([{ name: 'file', value: Buffer.from([0xff, 0xfe, 0x00]) }]);
    await assert.rejects(read(form), { code: 'MalformedForm' });
  });

  it('an empty file is a file', async () => {
    assert.equal((await read(await open([{ name: 'file', value: '', filename: 'empty' }]))).length, 0);
  });

  it('a form that breaks off after its file does not end well', async () => {
    const whole = formOf([
      { name: 'key', value: 'k' },
      { name: 'file', value: 'x'.repeat(1000), filename: 'f' },
    ]);
    for (const cut of [whole.length - 3, whole.length - 60, whole.length - 500]) {
      const form = await readForm(TYPE, lent(whole.subarray(0, cut)));
      await assert.rejects(read(form), { code: 'MalformedForm' }, `cut at ${cut}`);
    }
  });

  it('a client that leaves is told apart from a malformed form', async () => {
    const breaking = async function* (): AsyncGenerator<Uint8Array> {
      yield formOf([
        { name: 'key', value: 'k' },
        { name: 'file', value: 'x'.repeat(1000), filename: 'f' },
      ]).subarray(0, 600);
      throw new ArtefactError('BodyIncomplete', 'gone');
    };
    const form = await readForm(TYPE, breaking());
    await assert.rejects(read(form), { code: 'BodyIncomplete' });
    await assert.rejects(readForm(TYPE, lent(Buffer.alloc(0))), { code: 'MalformedForm' });
  });

  it('let go of their source when they are abandoned, or read only in part', async () => {
    const ways: readonly ((form: Form) => Promise<void>)[] = [
      async (form) => form.abandon(),
      async (form) => {
        for await (const chunk of form.bytes) if (chunk.length > 0) break;
      },
    ];
    for (const letGo of ways) {
      const released = Promise.withResolvers<void>();
      const form = await readForm(TYPE, endless(released.resolve));
      await letGo(form);
      await released.promise;
    }
  });

  const file: Piece = { name: 'file', value: 'x', filename: 'f' };
  const many = Array.from({ length: FORM_LIMITS.fields + 1 }, (_, n): Piece => ({ name: `f${n}`, value: '' }));
  const refusals: readonly (readonly [what: string, pieces: readonly Piece[], code: string])[] = [
    ['no file', [{ name: 'key', value: 'k' }], 'InvalidArgument'],
    ['nothing at all', [], 'InvalidArgument'],
    ['a field twice', [{ name: 'key', value: 'a' }, { name: 'KEY', value: 'b' }, file], 'MalformedForm'],
    ['a field without name', [{ name: '', value: 'a' }, file], 'MalformedForm'],
    ['a name that is too long', [{ name: 'n'.repeat(257), value: 'a' }, file], 'MalformedForm'],
    ['too many fields', [...many, file], 'MalformedForm'],
    [
      'fields that are too long',
      [{ name: 'a', value: 'x'.repeat(40_000) }, { name: 'b', value: 'x'.repeat(40_000) }, file],
      'MalformedForm',
    ],
    ['a long field that looks like a file', [{ name: 'a', value: 'x'.repeat(70_000), filename: 'a' }, file], 'MalformedForm'],
    ['a field beyond what is buffered', [{ name: 'a', value: 'x'.repeat(2_000_000) }, file], 'MalformedForm'],
  ];
  for (const [what, pieces, code] of refusals) {
    it(`are refused with ${what}`, async () => {
      await assert.rejects(open(pieces), (error) => isError(error, 'MalformedForm', 'InvalidArgument') && error.code === code);
    });
  }

  it('are refused before more is read than fields may have', async () => {
    for (const filename of [undefined, 'f']) {
      let pulled = 0;
      const fields = async function* (): AsyncGenerator<Uint8Array> {
        for (let n = 0; n < FORM_LIMITS.fields; n++) {
          pulled += 1;
          const field: Piece = { name: `f${n}`, value: 'x'.repeat(60_000), ...(filename === undefined ? {} : { filename }) };
          yield formOf([field]).subarray(0, -`--${BOUNDARY}--\r\n`.length);
          await new Promise((resolve) => setImmediate(resolve));
        }
        yield formOf([file]);
      };
      await assert.rejects(readForm(TYPE, fields()), { code: 'MalformedForm' });
      assert.ok(pulled < 6, `${pulled} fields were read`);
    }
  });

  it('that break off, or fall silent, within a field with a file name end the form and nothing else', async () => {
    const field = (size: number): Buffer => formOf([{ name: 'a', value: 'x'.repeat(size), filename: 'a' }]).subarray(0, size);
    const ends: readonly (readonly [size: number, end: () => Promise<void>, code: string])[] = [
      [1000, () => Promise.reject(new ArtefactError('BodyIncomplete', 'gone')), 'BodyIncomplete'],
      [1000, () => Promise.resolve(), 'MalformedForm'],
      [70_000, () => new Promise(() => undefined), 'MalformedForm'],
    ];
    const stray: unknown[] = [];
    const note = (reason: unknown): void => void stray.push(reason);
    process.on('unhandledRejection', note);
    for (const [size, end, code] of ends) {
      const bytes = async function* (): AsyncGenerator<Uint8Array> {
        yield field(size);
        await end();
      };
      await assert.rejects(readForm(TYPE, bytes()), { code }, String(size));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    process.off('unhandledRejection', note);
    assert.deepEqual(stray, []);
  });

  it('are refused without a boundary, or as another type', async () => {
    for (const type of ['', 'multipart/form-data', 'multipart/form-data; boundary=', 'application/x-www-form-urlencoded', 'text/plain']) {
      await assert.rejects(readForm(type, lent(Buffer.from('x'))), (error) => isError(error, 'MalformedForm', 'InvalidArgument'), type);
    }
  });

  it('give back any fields and any bytes', async () => {
    const fields = fc.uniqueArray(
      fc.tuple(
        fc.stringMatching(/^[a-z0-9-]{1,20}$/).filter((name) => name !== 'file'),
        fc.string(),
      ),
      { selector: ([name]) => name, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(fields, fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 4000 }), async (pairs, body, chunk) => {
        const pieces = pairs.map(([name, value]): Piece => ({ name, value: value.toWellFormed() }));
        const form = await open([...pieces, { name: 'file', value: body, filename: 'f' }], chunk);
        assert.deepEqual(
          [...form.fields],
          pairs.map(([name, value]) => [name, value.toWellFormed()]),
        );
        assert.ok((await read(form)).equals(Buffer.from(body)));
      }),
    );
  });

  it('are forms or refusals, whatever bytes come, and never hang', async () => {
    const crlf = fc.constantFrom(
      '\r\n',
      `--${BOUNDARY}`,
      `--${BOUNDARY}--`,
      'Content-Disposition: form-data; name="file"',
      '; filename="x"',
      'a',
      ':',
      '\0',
    );
    const soup = fc.array(crlf, { maxLength: 30 }).map((tokens) => Buffer.from(tokens.join('')));
    await fc.assert(
      fc.asyncProperty(fc.oneof(soup, fc.uint8Array({ maxLength: 500 })), fc.integer({ min: 1, max: 600 }), async (body, chunk) => {
        try {
          const form = await readForm(TYPE, lent(body, chunk) as Bytes);
          await read(form);
        } catch (error) {
          assert.ok(isError(error, 'MalformedForm', 'InvalidArgument'), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
