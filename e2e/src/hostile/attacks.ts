/** Attacks that go on until they are stopped, each modest enough for one client: what is asked is whether others notice. */
import type { Socket } from 'node:net';
import type { Server } from '../server.ts';
import { exchange, openMany } from './line.ts';
import { BUCKET } from './openServer.ts';
import { HOST, put, REFUSED } from './shapes.ts';

type Target = Pick<Server, 'url'>;

export interface Attack {
  /** Of the connections that it opened, those that are still open. */
  open(): number;
  stop(): void;
}

/** Starts an attack, of `count` connections where it is one of connections. */
export type StartAttack = (server: Target, count: number) => Promise<Attack>;

/** An object that nobody wants, of more than any buffer holds: put it there before `neverReads` and `readsDrops`. */
export const LARGE = `/${BUCKET}/large`;

const DRIP_MS = 250;
const GET_LARGE = `GET ${LARGE} HTTP/1.1\r\n${HOST}\r\n`;

/** Of connections: what each says at first, and what it does every quarter of a second. */
function connections(begin: string, drip: (socket: Socket) => void, reads = true): StartAttack {
  return async (server, count) => {
    const sockets = await openMany(server, count, begin, reads);
    const timer = setInterval(() => sockets.filter(({ writable }) => writable).forEach(drip), DRIP_MS);
    return {
      open: () => sockets.filter(({ closed }) => !closed).length,
      stop() {
        clearInterval(timer);
        for (const socket of sockets) socket.destroy();
      },
    };
  };
}

/** Of requests: one every `everyMs`, each on a connection of its own, those of `texts` in turn. */
function requests(everyMs: number, texts: readonly (string | Buffer)[]): StartAttack {
  return (server) => {
    const state = { sent: 0, open: 0 };
    const timer = setInterval(() => {
      state.open += 1;
      exchange(server, texts[state.sent++ % texts.length] ?? '')
        .catch(() => undefined)
        .finally(() => (state.open -= 1));
    }, everyMs);
    return Promise.resolve({ open: () => state.open, stop: () => clearInterval(timer) });
  };
}

const nothing = () => undefined;
const write = (text: string) => (socket: Socket) => void socket.write(text);

function post(target: string, body: string): string {
  return `POST /${BUCKET}/${target} HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const PART = '<Part><PartNumber>1</PartNumber><ETag>"9dd4e461268c8034f5c8564e155c67a6"</ETag></Part>';
const completion = (content: string) => post('x?uploadId=none', `<CompleteMultipartUpload>${content}</CompleteMultipartUpload>`);

/** Documents of the largest size that is read, each costly in another way. */
export const XML_BOMBS: Readonly<Record<string, string>> = {
  entities: `<!DOCTYPE l [${Array.from({ length: 60_000 }, (_, n) => `<!ENTITY a${n} "&a${n - 1};&a${n - 1};">`).join('')}]><l>&a59999;</l>`,
  depth: '<a>'.repeat(1_300_000),
  width: `<CompleteMultipartUpload>${'<a/>'.repeat(1_000_000)}</CompleteMultipartUpload>`,
  text: `<CompleteMultipartUpload>${'x'.repeat(4_000_000)}</CompleteMultipartUpload>`,
  attributes: `<CompleteMultipartUpload ${Array.from({ length: 300_000 }, (_, n) => `a${n}=""`).join(' ')}/>`,
  references: `<CompleteMultipartUpload>${`<a>${'&#1;'.repeat(4000)}</a>`.repeat(240)}</CompleteMultipartUpload>`,
  comments: `<CompleteMultipartUpload>${'<!-- - -->'.repeat(380_000)}</CompleteMultipartUpload>`,
};

/** Paths that mean something to a file system or to a careless reader. */
export const NASTY_PATHS: readonly string[] = [
  '../../../etc/passwd',
  '%2e%2e/%2e%2e/etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '..%5c..%5cwindows',
  '%c0%ae%c0%ae/%c0%af',
  '%ed%a0%80',
  'a%00b',
  '%ff',
  '%',
  '%zz',
];

/** Every attack by its name. */
export const ATTACKS = {
  'silent connections': connections('', nothing),
  'a byte of the request line at a time': connections(`GET /${BUCKET}/`, write('a')),
  'a header at a time': connections(`GET / HTTP/1.1\r\n${HOST}`, write('a: b\r\n')),
  'a byte of the body at a time': connections(put('Content-Length: 1000000\r\n', ''), write('x')),
  'senders that stop': connections(put('Content-Length: 1000000000\r\n', 'x'.repeat(40_000)), nothing),
  'readers that never read': connections(GET_LARGE, nothing, false),
  'readers of a byte at a time': connections(GET_LARGE, (socket) => void socket.read(1), false),
  'framing in two ways': requests(
    10,
    Object.values(REFUSED).map(([, bytes]) => bytes),
  ),
  'huge heads': requests(10, [`GET /${BUCKET}/x HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(40_000)}\r\n`]),
  'nasty names': requests(
    10,
    NASTY_PATHS.map((path) => `GET /${BUCKET}/${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`),
  ),
  'requests sent ahead': requests(50, [`GET /${BUCKET}/x HTTP/1.1\r\n${HOST}\r\n`.repeat(1500)]),
  'XML bombs': requests(
    500,
    Object.values(XML_BOMBS).map((bomb) => post('x?uploadId=none', bomb)),
  ),
  'completions of 10,000 parts': requests(500, [completion(PART.repeat(10_000))]),
  'a body in chunks of a byte': requests(500, [
    put('Transfer-Encoding: chunked\r\nConnection: close\r\n', `${'1\r\nx\r\n'.repeat(50_000)}0\r\n\r\n`),
  ]),
} as const satisfies Readonly<Record<string, StartAttack>>;
