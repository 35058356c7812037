/** A browser's upload form (multipart/form-data, RFC 7578): its fields read whole, its file as a stream. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import type { Busboy, FieldInfo } from 'busboy';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes } from '../../../storage/contract.ts';
import { formTooLong, malformedForm, noFile } from './faults.ts';

/** What a form may have beside its file. S3 allows 20 KB before the file; session tokens and policies need more room. */
export const FORM_LIMITS = { fields: 100, fieldBytes: 64 * 1024, nameBytes: 256, textFileBytes: 1024 * 1024 } as const;

export interface Form {
  /** By lower-cased name; only those before the file. */
  readonly fields: ReadonlyMap<string, string>;
  /** The file's name as the client has it, without folders; '' when there is none. */
  readonly filename: string;
  /** The file. Ends well only when the whole form was well-formed. Pull once. */
  readonly bytes: Bytes;
  /** Lets go of what has not been read; does nothing once all has been. */
  abandon(): void;
}

/**
 * Reads a form up to its file, the part named `file`. What follows it is read and ignored, as in S3. Throws `MalformedForm`,
 * `InvalidArgument` when no file comes, and S3's MaxPostPreDataLengthExceeded beyond `FORM_LIMITS`.
 */
export async function readForm(contentType: string, bytes: Bytes): Promise<Form> {
  const parser = openParser(contentType);
  const { promise, resolve, reject } = Promise.withResolvers<Form>();
  const fields = new Map<string, Promise<string>>();
  const room = fieldRoom();
  let fileSeen = false;
  // the parser goes through what it was given to the end, so the first refusal must be the outcome at once
  const refuse = (error: unknown): void => {
    reject(error);
    parser.destroy(error as Error);
  };
  const keep = (name: string, value: Promise<string>): void => {
    if (fields.has(name)) refuse(malformedForm(`The field ${name} is there more than once.`));
    else fields.set(name, value);
    // a form may break off within a field: nobody waits for the fields yet
    value.catch((error: unknown) => refuse(asFormError(error)));
  };
  const deliver = (filename: string, file: Bytes): void => {
    fileSeen = true;
    const form = { filename, bytes: whenComplete(file, finished, parser), abandon: () => void parser.destroy() };
    settled(fields).then((values) => resolve({ ...form, fields: values }), refuse);
  };
  parser.on('field', (sent, value, info) => {
    if (fileSeen) return;
    const name = checkedName(sent, refuse);
    if (name === 'file') deliver('', textFile(value, info));
    else if (name !== undefined && !room.take(name.length + value.length)) refuse(formTooLong());
    else if (name !== undefined) keep(name, Promise.resolve(value));
  });
  parser.on('file', (sent, stream, { filename }) => {
    stream.on('error', () => undefined); // whoever reads the stream gets the error too
    if (fileSeen) return void stream.resume();
    const name = checkedName(sent, refuse);
    if (name === 'file') deliver(filename ?? '', stream);
    // some clients give every field a file name
    else if (name !== undefined) keep(name, textOf(stream, room, refuse));
  });
  parser.on('partsLimit', () => {
    if (!fileSeen) refuse(formTooLong());
  });
  const finished = pipeline(() => copied(bytes), parser).catch((error: unknown) => Promise.reject(asFormError(error)));
  finished.then(() => !fileSeen && reject(noFile()), reject);
  return promise;
}

function openParser(contentType: string): Busboy {
  try {
    return busboy({
      headers: { 'content-type': contentType },
      defParamCharset: 'utf8',
      limits: { fieldSize: FORM_LIMITS.textFileBytes, parts: FORM_LIMITS.fields + 1, headerPairs: 16 },
    });
  } catch (cause) {
    throw malformedForm('Its Content-Type must be multipart/form-data with a boundary.', cause);
  }
}

/** Chunks are lent, and the parser keeps slices of them. */
async function* copied(bytes: Bytes): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) yield Buffer.from(chunk);
}

/** The field's name in lower case, as S3 compares them. */
function checkedName(sent: string | undefined, refuse: (error: Error) => void): string | undefined {
  if (sent !== undefined && sent !== '' && Buffer.byteLength(sent) <= FORM_LIMITS.nameBytes) return sent.toLowerCase();
  refuse(malformedForm('A field has no name, or one that is too long.'));
  return undefined;
}

/** What all fields together may still have. It is asked as they arrive: nobody is known yet whose memory this would be. */
interface FieldRoom {
  /** Takes so much, and answers whether there was as much. */
  take(size: number): boolean;
}

function fieldRoom(): FieldRoom {
  let left: number = FORM_LIMITS.fieldBytes;
  return {
    take(size) {
      left -= size;
      return left >= 0;
    },
  };
}

/** All fields, once the last of them has been read; refuses what is more than a form may have. */
async function settled(fields: ReadonlyMap<string, Promise<string>>): Promise<ReadonlyMap<string, string>> {
  const entries = await Promise.all([...fields].map(async ([name, value]) => [name, await value] as const));
  const size = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > FORM_LIMITS.fieldBytes) throw formTooLong();
  return new Map(entries);
}

async function textOf(stream: Readable, room: FieldRoom, refuse: (error: Error) => void): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (!room.take(chunk.length)) refuse(formTooLong());
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A file without a file name comes as text: only text that survived that is taken. */
async function* textFile(value: string, info: FieldInfo): AsyncGenerator<Uint8Array> {
  if (info.valueTruncated || value.includes('\ufffd')) {
    throw malformedForm(`A file that is not text, or of more than ${FORM_LIMITS.textFileBytes} bytes, must be sent with a file name.`);
  }
  yield Buffer.from(value);
}

/** The file's bytes, with an end that waits for the end of the form: a form that breaks off after its file is not complete. */
async function* whenComplete(file: Bytes, finished: Promise<void>, parser: Busboy): AsyncGenerator<Uint8Array> {
  try {
    yield* file;
    await finished;
  } catch (error) {
    throw asFormError(error);
  } finally {
    parser.destroy();
  }
}

function asFormError(error: unknown): ArtefactError {
  return error instanceof ArtefactError ? error : malformedForm('It is not well-formed.', error);
}
