/** What remains of a request: its line in the access log, its counts, the attributes of its span. */
import type { Attributes } from '@opentelemetry/api';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { safeTarget } from '../telemetry/redact.ts';
import type { Exchange } from './exchange.ts';

/** Probes come every few seconds; their lines would drown the others. */
const QUIET = /^health\./;

const MAX_AGENT = 200;

/** Counts the exchange, and writes its one line. */
export function account(exchange: Exchange, to: { readonly metrics: Metrics; readonly log: Log }): void {
  const { head, response, operation, principal } = exchange;
  const ms = performance.now() - exchange.began;
  const aborted = exchange.aborted();
  const error = exchange.error?.code;
  const bytes = { bytesIn: exchange.body.received(), bytesOut: exchange.bytesOut };
  to.metrics.requestEnded({ operation, status: response.statusCode, aborted, seconds: ms / 1000, ...bytes, error });
  const level = QUIET.test(operation ?? '') ? 'debug' : 'info';
  if (!to.log.isLevelEnabled(level)) return;
  const line = {
    requestId: head.id,
    traceId: exchange.traceId,
    operation: operation ?? 'unknown',
    status: response.statusCode,
    error,
    ...(aborted ? { aborted } : {}),
    method: head.method,
    host: head.host,
    target: safeTarget(head.target),
    principal: principal.id,
    remote: head.remoteAddress,
    ...bytes,
    ms: Math.round(ms * 100) / 100,
    agent: head.headers['user-agent']?.slice(0, MAX_AGENT),
  };
  to.log[level](line, 'request');
}

/** Attributes by OpenTelemetry's semantic conventions for HTTP servers. */
export function spanStart({ head, request }: Exchange): Attributes {
  return {
    'http.request.method': head.method,
    'url.path': head.rawPath,
    'url.scheme': head.secure ? 'https' : 'http',
    'server.address': head.host,
    'client.address': head.remoteAddress,
    'network.protocol.version': request.httpVersion,
    'bonded.request_id': head.id,
  };
}

export function spanEnd(exchange: Exchange): Attributes {
  return {
    ...(exchange.error ? { 'error.type': exchange.error.code } : {}),
    'http.request.body.size': exchange.body.received(),
    'http.response.body.size': exchange.bytesOut,
  };
}
