/** Attacks from a process of its own that yields the processor to everyone: what they cost the server is seen, what they cost to make is not. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Server } from '../server.ts';
import type { ATTACKS } from './attacks.ts';

export type AttackName = keyof typeof ATTACKS;

/** A machine of its own is what an attacker has in earnest; where there is none, the lowest priority comes nearest. */
const PRIORITY = 19;

/** Starts the attack of that name; resolves once its connections are open, with what ends it. */
export async function startAttacker(
  { url }: Pick<Server, 'url'>,
  name: AttackName,
  count: number,
): Promise<{ readonly stop: () => Promise<void> }> {
  const script = join(import.meta.dirname, 'attackerProcess.ts');
  const child = fork(script, [JSON.stringify({ url, name, count, priority: PRIORITY })], { env: { PATH: process.env.PATH ?? '' } });
  const ended = once(child, 'exit');
  const ready = once(child, 'message').then(() => true);
  if (!(await Promise.race([ready, ended.then(() => false)]))) throw new Error(`The attacker of "${name}" ended by itself.`);
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
