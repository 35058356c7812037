/** Fetches small JSON documents from issuers: with their CA, in bounded time and size, never following a redirect. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Bytes; the documents of large identity providers have some 10 KiB. */
const MAX_DOCUMENT = 256 * 1024;

export interface IssuerFetchOptions {
  /** PEM file, read at every fetch, so that a replaced one is used. */
  readonly caFile?: string;
  /** For the whole fetch, in ms. */
  readonly timeout: number;
}

/** A fetch as openid-client takes it, for GET requests. Rejects when the answer is late or larger than 256 KiB. */
export type IssuerFetch = (url: string, init?: { readonly headers?: Readonly<Record<string, string>> }) => Promise<Response>;

/** Makes that fetch. Every call uses a connection of its own, closed when it ends. */
export function createIssuerFetch(options: IssuerFetchOptions): IssuerFetch {
  return async (url, init = {}) => {
    const ca = options.caFile === undefined ? undefined : await readFile(options.caFile);
    const signal = AbortSignal.timeout(options.timeout);
    const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = { accept: 'application/json', ...init.headers };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      send(url, { method: 'GET', headers, ca, signal, agent: false }, resolve).on('error', reject).end();
    });
    const status = answer.statusCode ?? 502;
    return new Response(await readBounded(answer), {
      status: status === 204 || status === 304 ? 502 : status,
      headers: plainHeaders(answer),
    });
  };
}

async function readBounded(answer: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_DOCUMENT) throw new Error(`The document is larger than ${MAX_DOCUMENT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function plainHeaders(answer: IncomingMessage): Record<string, string> {
  const type = answer.headers['content-type'];
  return type === undefined ? {} : { 'content-type': type };
}
