/** wrk as the load generator: one thread of C, which costs a fraction of what it asks for. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run } from '../e2e/src/shell.ts';
import type { Detail } from './figures.ts';

const SCRIPT = resolve(import.meta.dirname, 'requests.lua');

export interface Request {
  readonly method: 'GET' | 'PUT';
  /** Path and query as on the wire. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Load {
  readonly url: string;
  /** A file that `layRequests` wrote. */
  readonly requests: string;
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
  /** Bytes of each request's body, no two alike; none when left out. */
  readonly bodySize?: number;
  /** Ends with the requests instead of beginning anew. */
  readonly once?: boolean;
}

export interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  /** Received, heads included. */
  readonly bytes: number;
  readonly failed: number;
  /** Milliseconds that this share of the requests took at most. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Writes what to ask for, in order. */
export async function layRequests(folder: string, name: string, requests: readonly Request[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, requests.map(line).join(''));
  return file;
}

function line({ method, target, headers = {} }: Request): string {
  return `${[`${method} ${target}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\t')}\n`;
}

/** Keeps the connections busy, each with one request after another. Throws when one fails or its answer is no success. */
export async function load({ url, requests, connections, seconds, bodySize = 0, once = false }: Load): Promise<Outcome> {
  const arrangement = ['-t', '1', '-c', String(connections), '-d', String(seconds), '--timeout', '30'];
  const said = await run(['wrk', ...arrangement, '-s', SCRIPT, url, '--', requests, String(bodySize), once ? 'once' : 'cycle'], {
    env: { PATH: process.env.PATH ?? '', CONNECTIONS: String(connections) },
  });
  const outcome = JSON.parse(said.trim().split('\n').at(-1) ?? '') as Outcome;
  if (outcome.failed > 0 || outcome.requests === 0) throw new Error(`Of ${outcome.requests} requests ${outcome.failed} failed:\n${said}`);
  return outcome;
}

export function perSecond({ requests, seconds }: Outcome): number {
  return requests / seconds;
}

/** Latencies, each the median of the runs'. */
export function latencies(prefix: string, outcomes: readonly Outcome[], middle: (values: readonly number[]) => number): readonly Detail[] {
  return (['p50', 'p99'] as const).map((name) => ({
    name: `${prefix}${name}`,
    value: middle(outcomes.map((outcome) => outcome[name])),
    unit: 'ms',
  }));
}
