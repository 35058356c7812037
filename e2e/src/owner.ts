/** Requests with the Owner's key over plain HTTP, whose answers are looked at whatever they are. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { Server } from './server.ts';

export interface Answer {
  /** 0 when the connection broke off without one. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly body?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const LONGEST_MS = 60_000;

/** One request on a connection of its own. Never rejects. */
export function ask(server: Server, path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<Answer> {
  const { accessKeyId, secretAccessKey } = server.credentials;
  return new Promise((resolve) => {
    const nothing = (): void => resolve({ status: 0, headers: {}, body: Buffer.alloc(0) });
    const sending = request(new URL(path, server.url), {
      method,
      agent: false,
      auth: `${accessKeyId}:${secretAccessKey}`,
      headers: { ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }), ...headers },
      timeout: LONGEST_MS,
    });
    sending.on('error', nothing).on('timeout', () => sending.destroy());
    sending.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', nothing);
      response.on('close', () => {
        if (!response.complete) return nothing();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    sending.end(body);
  });
}

/** A history of what was acknowledged, which every later look must find. */
export interface Ledger {
  /** Puts an object; answers the status, and remembers what was acknowledged or may have been done. */
  put(path: string, body: Uint8Array): Promise<Answer>;
  /** Remembers bytes that came to stand under a name in another way. */
  note(path: string, body: Uint8Array): void;
  /** Deletes an object. */
  remove(path: string): Promise<Answer>;
  /** What was acknowledged so far, to be held against a copy of the server. */
  frozen(): Ledger;
  /** Fails unless every acknowledged object is there, byte for byte, and what was not is absent or whole. Answers how many are there. */
  check(server?: Server): Promise<number>;
}

interface Line {
  /** Any of these may stand there; the empty text stands for nothing. */
  readonly digests: ReadonlySet<string>;
}

const NOTHING = '';
const AT_ONCE = 8;

export function openLedger(server: Server, lines: Map<string, Line> = new Map()): Ledger {
  const known = (path: string): ReadonlySet<string> => lines.get(path)?.digests ?? new Set([NOTHING]);
  const change = async (path: string, digest: string, asking: () => Promise<Answer>): Promise<Answer> => {
    const before = known(path);
    lines.set(path, { digests: new Set([...before, digest]) });
    const answer = await asking();
    if (answer.status >= 200 && answer.status < 300) lines.set(path, { digests: new Set([digest]) });
    return answer;
  };
  return {
    put: (path, body) => change(path, sha256(body), () => ask(server, path, { method: 'PUT', body })),
    note: (path, body) => void lines.set(path, { digests: new Set([sha256(body)]) }),
    remove: (path) => change(path, NOTHING, () => ask(server, path, { method: 'DELETE' })),
    frozen: () => openLedger(server, new Map(lines)),
    async check(other = server) {
      let there = 0;
      const left = [...lines];
      const look = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          const [path, { digests }] = next;
          const { status, body } = await ask(other, path);
          assert.ok(status === 200 || status === 404, `${path}: ${status} ${body.toString().slice(0, 400)}`);
          const found = status === 200 ? sha256(body) : NOTHING;
          assert.ok(digests.has(found), `${path} is ${status === 404 ? 'gone' : 'not what was acknowledged'}`);
          if (status === 200) there += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, look));
      return there;
    },
  };
}

function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
