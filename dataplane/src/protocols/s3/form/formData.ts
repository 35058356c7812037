/** A browser's upload form (multipart/form-data, RFC 7578): its fields read whole, its file as a stream. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import type { Busboy, FieldInfo, FileInfo } from 'busboy';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes } from '../../../storage/contract.ts';
import { s3Error } from '../errors.ts';

/** What a form may have beside its file. S3 allows 20 KB before the file; session tokens and policies may need more. */
export const FORM_LIMITS = { fields: 100, fieldBytes: 64 * 1024, nameBytes: 256, bytesAfterFile: 64 * 1024, textFileBytes: 1024 * 1024 } as const;

export interface Form {
  /** By lower-cased name; only those before the file. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: FormFile;
  /** Lets go of what has not been read. Harmless after the file has been read. */
  abandon(): void;
}

export interface FormFile {
  /** As the client named it, without folders; '' when it did not. */
  readonly filename: string;
  /** The part's own media type, when it has one that says something. */
  readonly contentType?: string;
  /** Ends well only when the whole form was well-formed. Pull once. */
  readonly bytes: Bytes;
}

/**
 * Reads a form up to its file, the part named `file`; what follows it is read and ignored, as in S3. Throws `MalformedForm`,
 * `InvalidArgument` when no file comes, and S3's MaxPostPreDataLengthExceeded beyond `FORM_LIMITS`.
 */
export function readForm(contentType: string, bytes: Bytes): Promise<Form> {
  const parser = openParser(contentType);
  const fields = new Map<string, string>();
  return new Promise<Form>((resolve, reject) => {
    const size = { before: 0, after: 0, fileSeen: false };
    const refuse = (error: Error): void => void parser.destroy(error);
    const deliver = (file: FormFile): void => {
      size.fileSeen = true;
      resolve({ fields, file, abandon: () => void parser.destroy() });
    };
    const keep = (name: string, value: string): void => {
      size.before += Buffer.byteLength(name) + Buffer.byteLength(value);
      if (size.before > FORM_LIMITS.fieldBytes) return refuse(tooLong());
      if (fields.has(name)) return refuse(malformed(`The field ${name.slice(0, 64)} is there more than once.`));
      fields.set(name, value);
    };
    parser.on('field', (name, value, info) => {
      if (size.fileSeen) return;
      const lower = nameOf(name, info);
      if (lower === undefined) return refuse(malformed('A field has no name, or one that is too long.'));
      if (lower === 'file') return deliverText(value, info, { deliver, refuse, finished });
      if (info.valueTruncated) return refuse(tooLong());
      keep(lower, value);
    });
    parser.on('file', (name, stream, info) => {
      const lower = nameOf(name);
      if (size.fileSeen) return void stream.resume();
      if (lower === 'file') return deliver(fileOf(stream, info, { finished, parser }));
      if (lower === undefined) return refuse(malformed('A field has no name, or one that is too long.'));
      // some clients give every field a file name
      collectText(stream).then((value) => keep(lower, value), refuse);
    });
    parser.on('partsLimit', () => size.fileSeen || refuse(tooLong()));
    const finished = pipeline(() => copied(bytes, size), parser).catch((error: unknown) => {
      throw asFormError(error);
    });
    finished.then(() => reject(noFile()), reject);
  });
}

/** Chunks are lent, and the parser keeps parts of them; trailing bytes are bounded. */
async function* copied(bytes: Bytes, size: { after: number; readonly fileSeen: boolean }): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) yield Buffer.from(chunk);
}

function openParser(contentType: string): Busboy {
  try {
    return busboy({
      headers: { 'content-type': contentType },
      defParamCharset: 'utf8',
      limits: { fieldNameSize: FORM_LIMITS.nameBytes, fieldSize: FORM_LIMITS.textFileBytes, parts: FORM_LIMITS.fields + 1, headerPairs: 16 },
    });
  } catch (cause) {
    throw malformed('Its Content-Type must be multipart/form-data with a boundary.', cause);
  }
}
