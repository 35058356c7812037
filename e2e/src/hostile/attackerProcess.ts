/** The process behind `attacker.ts`. */
import { setPriority } from 'node:os';
import type { AttackName } from './attacker.ts';
import { ATTACKS } from './attacks.ts';

interface Orders {
  readonly url: string;
  readonly name: AttackName;
  readonly count: number;
  readonly priority: number;
}

const { url, name, count, priority } = JSON.parse(process.argv[2] ?? '') as Orders;
setPriority(priority);
await ATTACKS[name]({ url }, count);
process.send?.('ready');
// Nobody is left who would end it.
process.on('disconnect', () => process.exit(0));
