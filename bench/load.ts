/** A load generator: keep-alive connections that each send one request, wait for the whole answer, and send the next. */
import { connect, type Socket } from 'node:net';

export interface Request {
  readonly method: 'GET' | 'PUT';
  /** Path and query as on the wire. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Load {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** The request number `n`, or undefined when there is no more to do. */
  next(n: number): Request | undefined;
  /** No request begins after this long. */
  readonly forMs?: number;
}

export interface Outcome {
  /** Requests that ended per second. */
  readonly perSecond: number;
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
}

const HEAD_END = '\r\n\r\n';

/** Runs the load to its end. Any answer that is not 2xx ends it with an error. */
export async function load(options: Load): Promise<Outcome> {
  const latencies: number[] = [];
  const begin = performance.now();
  const until = begin + (options.forMs ?? Infinity);
  let n = 0;
  const worker = async () => {
    const connection = new Connection(options.host, options.port);
    try {
      for (let request = options.next(n++); request !== undefined && performance.now() < until; request = options.next(n++)) {
        const sent = performance.now();
        await connection.exchange(request);
        latencies.push(performance.now() - sent);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: options.connections }, worker));
  return { perSecond: (latencies.length / (performance.now() - begin)) * 1000, latencies };
}

/** One connection with at most one exchange under way. It knows just enough HTTP: a head, and a body of declared length or chunked. */
class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(host: string, port: number) {
    this.#host = `${host}:${port}`;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () => this.#settle?.reject(new Error('The server closed the connection.')));
  }

  exchange({ method, target, headers = {}, body }: Request): Promise<void> {
    const lines = Object.entries({ host: this.#host, ...headers, ...(body && { 'content-length': String(body.length) }) });
    const head = `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.cork();
      this.#socket.write(head);
      if (body !== undefined) this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    if (!this.#isComplete(head, headEnd + HEAD_END.length)) return;
    const answer = this.#received;
    this.#received = Buffer.alloc(0);
    const settle = this.#settle;
    this.#settle = undefined;
    if (head.startsWith('HTTP/1.1 2')) settle?.resolve();
    else settle?.reject(new Error(`The server answered:\n${answer.toString('latin1', 0, 2000)}`));
  }

  #isComplete(head: string, bodyStart: number): boolean {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) return this.#received.length >= bodyStart + Number(length);
    if (/\r\ntransfer-encoding: *chunked/i.test(head))
      return (
        this.#received.subarray(-7).toString('latin1').endsWith('\r\n0\r\n\r\n') ||
        this.#received.toString('latin1', bodyStart) === '0\r\n\r\n'
      );
    return true;
  }
}
