/** Proves that the place can be written now, cheaply enough for readiness checks. */
import { randomBytes } from 'node:crypto';
import { translate } from './failure.ts';
import type { Objects } from './objects.ts';
import { PROBE } from './probe.ts';

/** How long an answer holds, in ms: a good one costs two requests, and a bad one may be better soon. */
const GOOD_MS = 10_000;
const BAD_MS = 1_000;
const PATIENCE_MS = 5_000;

/** Answers a function that writes an object and removes it, and throws `Unavailable` or `SlowDown` with the reason when it cannot. */
export function openCheck(objects: Objects, location: string): () => Promise<void> {
  const name = `${PROBE}ready-${randomBytes(9).toString('base64url')}`;
  let last: { readonly answer: Promise<void>; until: number } | undefined;
  return () => {
    if (last && performance.now() < last.until) return last.answer;
    const checking = { answer: writeOnce(objects, name, location), until: Infinity };
    checking.answer.then(
      () => (checking.until = performance.now() + GOOD_MS),
      () => (checking.until = performance.now() + BAD_MS),
    );
    last = checking;
    return checking.answer;
  };
}

async function writeOnce(objects: Objects, name: string, location: string): Promise<void> {
  try {
    await objects.put(name, Buffer.from('ready'), { timeoutMs: PATIENCE_MS });
    await objects.delete(name);
  } catch (thrown) {
    throw translate(thrown, location);
  }
}
