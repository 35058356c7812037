/** What `/readyz` says, and waiting for it to say something else. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './owner.ts';
import type { Server } from './server.ts';

const LONGEST_MS = 20_000;
/** Answers of storage hold for a second in storage, and for another one at the edge. */
const PAUSE_MS = 200;

/** Waits until the server is not ready for this reason. No secret and no path is in what it says. */
export async function untilNotReady(server: Server, reason: RegExp): Promise<void> {
  await until(server, 503, reason);
}

/** Waits until every process that answers is ready again. */
export async function untilReady(server: Server): Promise<void> {
  // Several in a row, since each may come from another process.
  for (let good = 0, since = Date.now(); good < 5; await sleep(PAUSE_MS)) {
    const { status, body } = await ask(server, '/readyz');
    good = status === 200 ? good + 1 : 0;
    assert.ok(Date.now() - since < LONGEST_MS, `not ready after ${LONGEST_MS} ms: ${body.toString()}`);
  }
}

async function until(server: Server, wanted: number, reason: RegExp): Promise<void> {
  for (const since = Date.now(); ; await sleep(PAUSE_MS)) {
    const { status, body } = await ask(server, '/readyz');
    const said = body.toString();
    for (const secret of [server.credentials.secretAccessKey, server.dataFolder]) assert.ok(!said.includes(secret), said);
    if (status === wanted && reason.test(said)) return;
    assert.ok(Date.now() - since < LONGEST_MS, `${status} after ${LONGEST_MS} ms: ${said}`);
  }
}
