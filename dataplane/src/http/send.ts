/** Sends an answer with the headers of the edge, and decides what becomes of a connection whose sender is not done yet. */
import { isError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { LINGER_BYTES, LINGER_MS } from './limits.ts';
import type { Exchange } from './exchange.ts';
import { sendReply, type OpenReply } from './respond.ts';
import type { Service } from './serve.ts';

/** Sends it whole, or throws. Never leaves a connection open on which the rest of a refused body could be taken for a request. */
export async function send(exchange: Exchange, service: Pick<Service, 'draining' | 'limits' | 'log'>, reply: OpenReply): Promise<void> {
  const { body, request, response } = exchange;
  const socket = request.socket;
  const unread = !body.complete();
  const close = service.draining() || exchange.fault !== undefined || (unread && !isSoonRead(exchange));
  await sendReply(response, decorated(reply, decorations(exchange, service.log)), {
    headers: edgeHeaders(exchange, close),
    idleMs: service.limits.sendIdleMs,
    minRate: service.limits.bodyMinRate,
    onSent: (bytes) => {
      exchange.bytesOut += bytes;
    },
    beforeEnd: unread ? () => body.discard(LINGER_BYTES, LINGER_MS) : undefined,
  });
  if (!body.complete()) socket.destroySoon();
}

/** A small rest is read and dropped, which is cheaper for both sides than a new connection. */
function isSoonRead({ body, head, error }: Exchange): boolean {
  if (isError(error, 'BodyTooSlow', 'BodyIncomplete')) return false;
  const waitsForContinue = head.headers['expect'] !== undefined && body.received() === 0;
  return !waitsForContinue && body.declared !== undefined && body.declared - body.received() <= LINGER_BYTES;
}

function edgeHeaders({ head, mount }: Exchange, close: boolean): readonly string[] {
  const headers = ['Server', 'Bonded', 'X-Request-Id', head.id];
  if (mount.requestIdHeader) headers.push(mount.requestIdHeader, head.id);
  if (close) headers.push('Connection', 'close');
  return headers;
}

const NONE: Readonly<Record<string, string>> = {};

/** What the reply says itself counts. */
function decorated(reply: OpenReply, headers: Readonly<Record<string, string>>): OpenReply {
  for (const _name in headers) return { ...reply, headers: { ...headers, ...reply.headers } };
  return reply;
}

/** A protocol that cannot decorate an answer must not keep it from being sent. */
function decorations({ mount, head, snapshot, fault }: Exchange, log: Log): Readonly<Record<string, string>> {
  if (fault || !mount.protocol.decorate) return NONE;
  try {
    return mount.protocol.decorate(head, snapshot);
  } catch (thrown) {
    log.error({ err: thrown, requestId: head.id }, 'answer could not be decorated');
    return NONE;
  }
}
