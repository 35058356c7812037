/** The process behind `neighbour.ts`. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const { url, everyMs } = JSON.parse(process.argv[2] ?? '') as { readonly url: string; readonly everyMs: number };
const CONTENT = 'a neighbour’s object';
const secure = url.startsWith('https:');
const agent = secure
  ? new HttpsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  : new HttpAgent({ keepAlive: true, maxSockets: 1 });

let latencies: number[] = [];
let failures: string[] = [];

/** One whole exchange; answers status and body. */
function send(method: 'GET' | 'PUT', body = ''): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const ask = (secure ? httpsRequest : httpRequest)(`${url}/neighbour`, {
      method,
      agent,
      headers: { 'content-length': Buffer.byteLength(body) },
    });
    ask.on('error', reject);
    ask.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    ask.end(body);
  });
}

async function turn(n: number): Promise<void> {
  const began = performance.now();
  try {
    // One in five is a write.
    const { status, body } = n % 5 === 0 ? await send('PUT', CONTENT) : await send('GET');
    if (status !== 200 || (n % 5 !== 0 && body !== CONTENT)) failures.push(`${status} ${body.slice(0, 200)}`);
  } catch (error) {
    failures.push(String(error));
  }
  latencies.push(performance.now() - began);
}

process.on('message', () => {
  process.send?.({ requests: latencies.length, failures, latencies });
  latencies = [];
  failures = [];
});
// Nobody is left to tell.
process.on('disconnect', () => process.exit(0));

await turn(0);
latencies = [];
process.send?.('ready');
for (let n = 1; ; n++) {
  const began = performance.now();
  await turn(n);
  await sleep(Math.max(0, everyMs - (performance.now() - began)));
}
