/** Upload sessions over plain HTTP, for looking at each step. */
import assert from 'node:assert/strict';
import { ask, type Answer } from './owner.ts';
import type { Server } from './server.ts';

/** An S3 upload in parts. */
export interface PartsUpload {
  putPart(number: number, body: Uint8Array): Promise<Answer>;
  complete(parts: readonly Answer[], server?: Server): Promise<Answer>;
  abort(): Promise<Answer>;
}

export async function beginParts(server: Server, path: string): Promise<PartsUpload> {
  const { status, body } = await ask(server, `${path}?uploads`, { method: 'POST' });
  assert.equal(status, 200, body.toString());
  const id = /<UploadId>([^<]+)</.exec(body.toString())?.[1] ?? '';
  return {
    putPart: (number, part) => ask(server, `${path}?partNumber=${number}&uploadId=${id}`, { method: 'PUT', body: part }),
    abort: () => ask(server, `${path}?uploadId=${id}`, { method: 'DELETE' }),
    complete(parts, other = server) {
      const listed = parts.map(
        ({ headers }, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${String(headers.etag)}</ETag></Part>`,
      );
      const xml = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
      return ask(other, `${path}?uploadId=${id}`, { method: 'POST', body: xml });
    },
  };
}

/** A tus upload. */
export interface TusUpload {
  /** Appends at this offset. */
  patch(offset: number, body: Uint8Array, server?: Server): Promise<Answer>;
  /** The offset that the server promises. */
  offset(server?: Server): Promise<number>;
}

const TUS = { 'Tus-Resumable': '1.0.0' };

export async function beginTus(server: Server, path: string, length: number): Promise<TusUpload> {
  const { status, headers, body } = await ask(server, `/uploads${path}`, {
    method: 'POST',
    headers: { ...TUS, 'Upload-Length': String(length), 'Content-Length': '0' },
  });
  assert.equal(status, 201, body.toString());
  const location = String(headers.location);
  return {
    patch: (offset, part, other = server) =>
      ask(other, location, {
        method: 'PATCH',
        body: part,
        headers: { ...TUS, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
      }),
    async offset(other = server) {
      const answer = await ask(other, location, { method: 'HEAD', headers: TUS });
      assert.equal(answer.status, 200);
      return Number(answer.headers['upload-offset']);
    },
  };
}
