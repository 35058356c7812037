/** Answers what Node's parser refused before there was a request: malformed heads, heads too large, heads too slow. */
import type { Duplex } from 'node:stream';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

interface Refusal {
  readonly status: string;
  readonly message: string;
}

const MALFORMED: Refusal = { status: '400 Bad Request', message: 'The request is not well-formed HTTP/1.1.' };

const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_INVALID_URL: { status: '400 Bad Request', message: 'The request target holds characters that must be percent-encoded.' },
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', message: 'Request line and headers are too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: '413 Content Too Large', message: 'The chunk extensions are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', message: 'The request headers did not arrive in time.' },
};

interface Accounts {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'requestBegan' | 'requestEnded'>;
}

type ServedSocket = Duplex & { readonly _httpMessage?: { readonly headersSent: boolean } | null; readonly remoteAddress?: string };

/** Writes a plain answer and closes the connection; where another answer has begun, it only closes. */
export function refuseMalformed(error: NodeJS.ErrnoException, stream: Duplex, to: Accounts): void {
  const socket = stream as ServedSocket;
  const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable;
  if (gone || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const { status, message } = REFUSALS[error.code ?? ''] ?? MALFORMED;
  // What is wrong with a body belongs to a request, which is accounted for as such.
  if (!socket._httpMessage) accountFor(Number(status.slice(0, 3)), error.code, socket.remoteAddress, to);
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nServer: Bonded\r\nContent-Type: text/plain\r\nContent-Length: ${message.length + 1}\r\n\r\n${message}\n`,
  );
  setTimeout(() => socket.destroy(), CLOSE_MS).unref();
}

function accountFor(status: number, code: string | undefined, remote: string | undefined, to: Accounts): void {
  to.metrics.requestBegan();
  to.metrics.requestEnded({ operation: undefined, status, aborted: false, seconds: 0, bytesIn: 0, bytesOut: 0 });
  to.log.info({ status, code, remote }, 'refused');
}

/** How long the client has to read it. */
const CLOSE_MS = 500;
