/** One round: load until the kill, the server again, and what is checked then. */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkNames } from './check/names.ts';
import { checkSessions } from './check/sessions.ts';
import { findStrays, needsOf } from './check/strays.ts';
import type { Holdings } from './check/holdings.ts';
import { runLoad } from './load/load.ts';
import type { Plan } from './plan.ts';
import { Violation, type World } from './world.ts';
import type { Ask, Watch } from './wire.ts';

type Event = 'sent' | 'answered';

interface Awaited {
  readonly event: Event;
  readonly ends: boolean;
  left: number;
  readonly callback: () => void;
}

/** Counts requests and answers for whoever waits for the n-th. */
export interface Counter extends Watch {
  /** Calls back at the n-th event from now; with `ends`, of those requests only that end an upload. */
  await(event: Event, plan: Pick<Plan, 'nth' | 'ends'>, callback: () => void): void;
}

export function openCounter(): Counter {
  let awaited: Awaited | undefined;
  const count = (event: Event) => (ask: Ask) => {
    if (awaited?.event !== event || (awaited.ends && !endsUpload(ask))) return;
    awaited.left -= 1;
    if (awaited.left === 0) awaited.callback();
  };
  return {
    sent: count('sent'),
    answered: count('answered'),
    await: (event, { nth, ends }, callback) => void (awaited = { event, ends, left: nth, callback }),
  };
}

/** True for requests that complete, join, or give up an upload. */
function endsUpload({ method, query = {}, headers = {} }: Ask): boolean {
  if ('uploadId' in query || 'session' in query) return method === 'DELETE' || method === 'POST' || headers['upload-complete'] === '?1';
  return headers['upload-concat']?.startsWith('final') === true;
}

/** Runs the load, and kills the server as planned. Resolves when it is dead and every client knows. */
export async function loadAndKill(world: World, counter: Counter, plan: Plan, round: number): Promise<void> {
  let stopped = false;
  const load = runLoad(world, () => stopped, round);
  const failed = load.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([aimed(world, counter, plan), failed]);
  const killed = world.instance.kill();
  stopped = true;
  await killed;
  world.wire.drop();
  await load;
}

/** Resolves in the moment that the plan is about. */
async function aimed(world: World, counter: Counter, plan: Plan): Promise<void> {
  if (plan.worker !== undefined) {
    await sleep(plan.worker);
    world.instance.killWorker(plan.nth);
  }
  await Promise.race([event(world, counter, plan), sleep(plan.patience)]);
  if (plan.aim === 'drain') world.instance.terminate();
  if (plan.delay > 0) await sleep(plan.delay);
}

function event({ instance }: World, counter: Counter, plan: Plan): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  switch (plan.aim) {
    case 'moment':
      resolve();
      break;
    case 'request':
      counter.await('sent', plan, resolve);
      break;
    case 'answer':
      counter.await('answered', plan, resolve);
      break;
    case 'collection':
      instance.onCollection(resolve);
      break;
    case 'drain':
      counter.await('answered', plan, resolve);
      break;
  }
  return promise;
}

/** Brings the server back, through kills while it starts. */
export async function comeBack({ instance, ahead }: World, { start, startKills }: Pick<Plan, 'start' | 'startKills'>): Promise<void> {
  for (const after of startKills) {
    instance.launch({ ...start, ahead });
    await sleep(after);
    await instance.kill();
  }
  instance.launch({ ...start, ahead });
  await instance.ready();
}

/** Everything that must hold after a restart. */
export async function checkAll(world: World): Promise<void> {
  await checkSessions(world);
  await checkNames(world);
  checkErrors(world);
}

function checkErrors({ instance }: World): void {
  const errors = instance.errors();
  if (errors.length > 0) throw new Violation(`The server logged errors:\n  ${errors.slice(0, 5).join('\n  ')}`);
}

/** Lets so much time go by, in ms, while the server is dead. */
export function pass(world: World, ms: number): void {
  world.ahead += ms;
  world.instance.age(ms);
}

/** Nine days later: all sessions are over, everything that nobody needs is collected, and what is needed is there still. */
export async function checkLater(world: World, start: Plan['start'], read: () => Promise<Holdings>): Promise<string> {
  world.sessions.clear();
  world.unheard.clear();
  let strays: readonly string[] = [];
  for (const jump of world.transactional ? [NINE_DAYS] : IN_STEPS) {
    await world.instance.kill();
    world.wire.drop();
    pass(world, jump);
    await comeBack(world, { start, startKills: [] });
    strays = await findStrays(world, read);
    if (strays.length === 0) break;
  }
  if (strays.length > 0) throw new Violation(`Stray bytes stay for ever:\n  ${strays.join('\n  ')}`);
  await checkAll(world);
  const { contents, bytes, things } = needsOf(world);
  return `${things} versions of ${contents} contents, ${bytes} bytes`;
}

const HOUR = 60 * 60 * 1000;
const NINE_DAYS = 9 * 24 * HOUR;
/** Where a batch may be cut in two, what the end of a session leaves is looked at once more, when the grace time after it is over. */
const IN_STEPS = [NINE_DAYS, 3 * HOUR, 3 * HOUR];
