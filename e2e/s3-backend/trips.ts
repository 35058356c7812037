/** Counts how often work waits for an S3 server, by what a proxy sees: requests that are under way together are waited for once. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proxy, ProxyOptions } from './proxy.ts';

/** Long enough that what is sent together is seen together on a busy machine, in ms. */
const LATENCY_MS = 100;

export interface Trips {
  /** Methods and paths, in the order of their coming. */
  readonly requests: readonly string[];
  /** Round trips: the longest chain of requests, each of which came when the one before it had been answered. */
  readonly waits: number;
}

export interface TripCounter extends Required<Pick<ProxyOptions, 'onRequest' | 'onAnswered'>> {
  /** Runs the work with a long way to the server, and counts. */
  during(proxy: Pick<Proxy, 'latencyMs'>, work: () => Promise<unknown>): Promise<Trips>;
}

/** A counter to be given to `startProxy`. */
export function openTripCounter(): TripCounter {
  let places = new Map<IncomingMessage, number>();
  let requests: string[] = [];
  let longest = 0;
  return {
    onRequest(request) {
      places.set(request, longest + 1);
      requests.push(`${request.method} ${request.url}`);
    },
    onAnswered(request) {
      longest = Math.max(longest, places.get(request) ?? 0);
    },
    async during(proxy, work) {
      places = new Map();
      requests = [];
      longest = 0;
      proxy.latencyMs = LATENCY_MS;
      await work().finally(() => (proxy.latencyMs = 0));
      // The last answer may have been read before the proxy heard that it was.
      await sleep(10);
      return { requests, waits: longest };
    },
  };
}
