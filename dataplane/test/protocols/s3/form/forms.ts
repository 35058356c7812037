/** Bodies of upload forms, as browsers write them. */

export const BOUNDARY = '----FormBoundary7MA4YWxkTrZu0gW';

export interface Piece {
  readonly name: string;
  readonly value: string | Uint8Array;
  readonly filename?: string;
  readonly type?: string;
}

/** The body of a form with these parts, in order. */
export function formOf(pieces: readonly Piece[]): Buffer {
  const parts = pieces.map(({ name, value, filename, type }) => {
    const disposition = `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n`;
    return Buffer.concat([
      Buffer.from(`--${BOUNDARY}\r\n${disposition}${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]);
  });
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}
