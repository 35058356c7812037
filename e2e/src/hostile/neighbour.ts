/** A well-behaved client in a process of its own, while others misbehave: keep-alive, small GETs and PUTs at a modest rate. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Server } from '../server.ts';
import { BUCKET } from './openServer.ts';

/** What it saw since it was last asked. */
export interface Experience {
  readonly requests: number;
  /** Requests that were not answered with what they asked for, and how. */
  readonly failures: readonly string[];
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
}

export interface Neighbour {
  /** What it experienced since it started, or since the last call. */
  ask(): Promise<Experience>;
  stop(): Promise<void>;
}

/** Starts it: a request every `everyMs`, one after another on one connection. */
export async function startNeighbour(server: Pick<Server, 'url'>, everyMs = 10): Promise<Neighbour> {
  const script = join(import.meta.dirname, 'neighbourProcess.ts');
  const child = fork(script, [JSON.stringify({ url: `${server.url}/${BUCKET}`, everyMs })], { env: { PATH: process.env.PATH ?? '' } });
  await once(child, 'message');
  return {
    async ask() {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(60_000) });
      child.send('ask');
      return ((await answer) as [Experience])[0];
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
