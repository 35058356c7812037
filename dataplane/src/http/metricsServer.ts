/** Prometheus' endpoint, apart from where clients are served. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../telemetry/log.ts';

/** What is served. */
export interface MetricsSource {
  text(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Serves `source` at `/metrics`, and nothing else. Rejects when the address cannot be had. */
export async function startMetricsServer(
  listen: { readonly host: string; readonly port: number },
  source: MetricsSource,
  log: Log,
): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response, source, log));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen, () => resolve());
  });
  return {
    address: server.address() as AddressInfo,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, source: MetricsSource, log: Log): Promise<void> {
  if (request.url?.split('?')[0] !== '/metrics') return plain(response, 404, 'Metrics are at /metrics.\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(response, 405, 'Use GET.\n');
  try {
    const text = await source.text();
    response.writeHead(200, { 'Content-Type': source.contentType }).end(text);
  } catch (thrown) {
    log.warn({ err: thrown }, 'metrics could not be gathered');
    plain(response, 503, 'Metrics could not be gathered; see the log.\n');
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...(status === 405 ? { Allow: 'GET, HEAD' } : {}) }).end(text);
}
