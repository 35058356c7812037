/**
 * Answers what Node's parser refused, in the form of the protocol that the request was for, as far as that can be known: of a
 * head that could not be read, the request line may still be legible; whatever is not known to be another protocol's is the last mount's.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ArtefactError, type ErrorCode } from '../errors.ts';
import { breakBody } from './body.ts';
import { readHead } from './head.ts';
import { mountFor, type Mount } from './mount.ts';
import type { ClientReader } from './proxies.ts';
import { serve, type Service } from './serve.ts';
import type { Turns } from './turns.ts';

/** What an answer needs that no request led to. */
export interface Edge {
  readonly mounts: readonly Mount[];
  readonly readClient: ClientReader;
  readonly turns: Turns;
  readonly service: Service;
}

/** `reason` is one of the parser's own phrases, `rawPacket` what it was reading. */
type ParserError = NodeJS.ErrnoException & { readonly reason?: string; readonly rawPacket?: Buffer };

type ServedSocket = Duplex & { readonly _httpMessage?: ServerResponse | null };

const FAULTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_INVALID_URL: ['MalformedUri', 'The request target holds characters that must be percent-encoded.'],
  HPE_HEADER_OVERFLOW: ['HeadersTooLarge', 'Request line and headers, or trailers, are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['HeadersTooLarge', 'The chunk extensions are too large.'],
  HPE_INVALID_EOF_STATE: ['BodyIncomplete', 'The connection ended within the request. Send it again.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['BodyTooSlow', 'The request headers did not arrive in time.'],
};

/** The client said that nothing more would come, and sent more: the answer to what was before is still owed. */
const SENT_AFTER_CLOSE = 'HPE_CLOSED_CONNECTION';

/**
 * What is wrong with a body is left to its request, which fails by it. What follows a request that is still being answered ends
 * the connection after that answer. A head is answered here. Nothing that comes later on this connection is a request.
 */
export function refuseMalformed(error: ParserError, stream: Duplex, edge: Edge): void {
  const socket = stream as ServedSocket;
  // Anything else is not the parser's: the client has left, or there is no TLS to answer through.
  if (!/^(HPE_|ERR_HTTP_)/.test(error.code ?? '') || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = socket._httpMessage;
  if (answer && !answer.req.complete) return breakBody(answer.req, faultOf(error));
  if (!edge.turns.end(socket) || error.code === SENT_AFTER_CLOSE) return;
  if (!answer) return answerAlone(illegible(socket, error.rawPacket), socket, faultOf(error), edge);
  answer.shouldKeepAlive = false;
  answer.once('close', () => socket.destroy());
}

/** CONNECT asks for a tunnel, and its connection is no longer one of HTTP. */
export function refuseTunnel(request: IncomingMessage, socket: Duplex, edge: Edge): void {
  edge.turns.end(socket);
  answerAlone(request, socket, new ArtefactError('MethodNotAllowed', 'There are no tunnels here.'), edge);
}

function faultOf({ code = '', reason }: ParserError): ArtefactError {
  const [kind, message] = FAULTS[code] ?? ['InvalidRequest', `The request is not well-formed HTTP/1.1${reason ? `: ${reason}` : ''}.`];
  return new ArtefactError(kind, message);
}

/** Serves the fault as the one answer of a connection that then closes. */
function answerAlone(request: IncomingMessage, socket: Duplex, fault: ArtefactError, { mounts, readClient, service }: Edge): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => {
    socket.end();
    setTimeout(() => socket.destroy(), CLOSE_MS).unref();
  });
  socket.on('error', () => socket.destroy());
  const { head } = readHead(request, readClient);
  void serve({ request, response }, { head, fault }, mountFor(mounts, head), service);
}

/** How long the client has to read it. */
const CLOSE_MS = 500;

const REQUEST_LINE = /^([A-Z]{3,16}) {1,8}(\/[\x21\x22\x24-\x3e\x40-\x7e]{0,1024})[ ?]/;
const HOST = /\r\nhost:[ \t]{0,8}([A-Za-z0-9._~%:[\]-]{1,261})[ \t]{0,8}\r\n/i;

/** A request of which only that is known which can be read at the beginning of the packet: method, path and host. */
function illegible(socket: Duplex, packet: Buffer | undefined): IncomingMessage {
  const text = packet?.toString('latin1', 0, 8192) ?? '';
  const [, method = 'GET', path = '/'] = REQUEST_LINE.exec(text) ?? [];
  const host = HOST.exec(text)?.[1];
  const request = new IncomingMessage(socket as Socket);
  return Object.assign(request, {
    method,
    url: path,
    rawHeaders: host === undefined ? [] : ['Host', host],
    httpVersion: '1.1',
    complete: true,
  });
}
