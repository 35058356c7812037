/** Small things that all checks do. */
import type { Answer, Reply } from '../wire.ts';
import { Violation } from '../world.ts';

/** Looks made at once. */
const AT_ONCE = 6;

/** Does the work for each, some at a time; the first failure ends it. */
export async function several<Of>(list: readonly Of[], work: (one: Of) => Promise<void>): Promise<void> {
  const waiting = [...list];
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** An answer there must be: nobody kills the server now. */
export function must(reply: Reply): Answer;
export function must<Of>(read: Of | undefined): Of;
export function must(given: unknown): unknown {
  const reply = given as Reply | undefined;
  const there = reply !== undefined && (!('kind' in reply) || (reply.kind === 'answer' && reply.whole));
  if (!there) throw new Violation('The server did not answer while nobody killed it.');
  return given;
}
