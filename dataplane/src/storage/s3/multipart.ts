/** Single requests of multipart uploads: each is made once, in bounded time, and throws `S3Failure` only. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { S3Place } from './client.ts';
import { conditionHeaders, NONCE, plain, REQUEST_MS, sorted, type Condition, type Etag } from './objects.ts';
import { carried, signPayload, type Payload } from './payload.ts';

export interface Part {
  readonly number: number;
  readonly etag: Etag;
}

export interface OpenUpload {
  readonly name: string;
  readonly uploadId: string;
  /** Ms since the epoch, by the server's clock. */
  readonly begun: number;
}

export interface Multipart {
  begin(name: string, nonce: string): Promise<string>;
  part(of: { readonly name: string; readonly uploadId: string; readonly number: number }, payload: Payload): Promise<Part>;
  complete(name: string, uploadId: string, parts: readonly Part[], condition: Condition): Promise<void>;
  abort(name: string, uploadId: string): Promise<void>;
  /** Uploads that are open under a prefix of names, at most 1,000. */
  open(prefix: string): Promise<readonly OpenUpload[]>;
}

/** Bytes per second below which a part is given up, after the time of a small request. */
const SLOWEST = 256 * 1024;
/** Servers put parts together for minutes. */
const COMPLETE_MS = 5 * 60_000;

/** How long a request with so many bytes may take, in ms. */
export function timeFor(bytes: number): number {
  return REQUEST_MS + Math.ceil((bytes / SLOWEST) * 1000);
}

/** Multipart uploads of the place through a client. */
export function openMultipart(client: S3Client, { bucket, prefix }: S3Place): Multipart {
  const target = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const bounded = (ms: number = REQUEST_MS) => ({ abortSignal: AbortSignal.timeout(ms) });
  return {
    begin: (name, nonce) =>
      sorted(async () => {
        const begun = await client.send(new CreateMultipartUploadCommand({ ...target(name), Metadata: { [NONCE]: nonce } }), bounded());
        return begun.UploadId ?? '';
      }),
    part: ({ name, uploadId, number }, payload) =>
      sorted(async () => {
        const command = new UploadPartCommand({ ...target(name), UploadId: uploadId, PartNumber: number, ...carried(payload) });
        signPayload(command, payload);
        const { ETag } = await client.send(command, bounded(timeFor(payload.size)));
        return { number, etag: plain(ETag) };
      }),
    complete: (name, uploadId, parts, condition) =>
      sorted(async () => {
        const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }));
        const command = new CompleteMultipartUploadCommand({
          ...target(name),
          UploadId: uploadId,
          MultipartUpload: { Parts },
          ...conditionHeaders(condition),
        });
        await client.send(command, bounded(COMPLETE_MS));
      }),
    abort: (name, uploadId) =>
      sorted(async () => void (await client.send(new AbortMultipartUploadCommand({ ...target(name), UploadId: uploadId }), bounded()))),
    open: (under) =>
      sorted(async () => {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix + under }), bounded());
        return Uploads.map(({ Key = '', UploadId = '', Initiated }) => ({
          name: Key.slice(prefix.length),
          uploadId: UploadId,
          begun: Initiated?.getTime() ?? Date.now(),
        }));
      }),
  };
}
