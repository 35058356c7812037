/** Many rounds, on one data directory after the other. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackend, type Backend, type BackendName } from '../s3-backend/backend.ts';
import { storageIn } from '../s3-backend/storage.ts';
import { readBucket, readDirectory, type Holdings } from './check/holdings.ts';
import { must } from './check/together.ts';
import { openContents } from './content.ts';
import { prepareInstance } from './instance.ts';
import { choosePlan, chooseStart, type Plan } from './plan.ts';
import { seeded, type Random } from './random.ts';
import { openRegister } from './register.ts';
import { checkAll, checkLater, comeBack, loadAndKill, openCounter, pass, type Counter } from './round.ts';
import { openWire } from './wire.ts';
import { ask, unexpected, type Bucket, type Counts, type World } from './world.ts';

export interface CampaignOptions {
  readonly rounds: number;
  readonly seed: string;
  /** Where content is kept: in the data directory, or in a bucket of one of these servers. */
  readonly storage: 'local' | BackendName;
  /** Rounds on one directory; the directory is then left for a new one. */
  readonly perDirectory: number;
  /** Rounds between looks for stray bytes. */
  readonly straysEvery: number;
  /** Sources of the server, where they are not this checkout's. */
  readonly checkout?: string;
  /** Under which directories are made. */
  readonly under?: string;
  /** Takes each line of the log. */
  readonly tell: (line: string) => void;
}

export interface Summary extends Counts {
  readonly rounds: number;
  readonly kills: number;
  readonly collections: number;
  /** Names with so many unanswered operations that their history could not be judged. */
  readonly unjudged: number;
}

/** Plays all rounds. Throws the first violation, with the seed and where the data directory is; all others are removed. */
export async function runCampaign(options: CampaignOptions): Promise<Summary> {
  const total = { asked: 0, acknowledged: 0, lost: 0, read: 0, kills: 0, collections: 0, unjudged: 0 };
  const backend = options.storage === 'local' ? undefined : await startBackend(options.storage);
  try {
    for (let round = 0; round < options.rounds; round += options.perDirectory) {
      const rounds = Math.min(options.perDirectory, options.rounds - round);
      const told = await playDirectory(options, { first: round + 1, rounds, backend });
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += told[name];
    }
  } finally {
    await backend?.stop();
  }
  return { ...total, rounds: options.rounds };
}

interface Stretch {
  readonly first: number;
  readonly rounds: number;
  readonly backend: Backend | undefined;
}

type Told = Omit<Summary, 'rounds'>;

async function playDirectory(options: CampaignOptions, stretch: Stretch): Promise<Told> {
  mkdirSync(options.under ?? tmpdir(), { recursive: true });
  const folder = mkdtempSync(join(options.under ?? tmpdir(), 'bonded-crash-'));
  const random = seeded(`${options.seed}/${stretch.first}`);
  const bucket = await stretch.backend?.newBucket();
  const env = stretch.backend === undefined ? {} : await storageIn(folder, stretch.backend, { bucket: bucket! });
  const instance = await prepareInstance({ folder, env, checkout: options.checkout });
  const counter = openCounter();
  const world = newWorld(random, instance, options);
  const holdings = async (): Promise<Holdings> =>
    stretch.backend === undefined ? readDirectory(instance.dataFolder) : readBucket(stretch.backend, bucket!);
  try {
    const kills = await playRounds(world, { options, stretch, counter, holdings });
    await instance.kill();
    world.wire.drop();
    rmSync(folder, { recursive: true, force: true });
    return { ...world.counts, kills, collections: instance.collections(), unjudged: world.register.unjudged() };
  } catch (error) {
    await instance.kill();
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`Seed ${options.seed}, directory of round ${stretch.first}: ${message}\n  data and log of the server: ${folder}`, {
      cause: error,
    });
  }
}

/** Without versions, with them, and with them at times. */
function newBuckets(): readonly Bucket[] {
  return [
    { name: 'plain', versioning: 'never' },
    { name: 'kept', versioning: 'on' },
    { name: 'paused', versioning: 'on' },
  ];
}

function newWorld(random: Random, instance: World['instance'], { storage, seed }: CampaignOptions): World {
  return {
    random,
    instance,
    buckets: newBuckets(),
    contents: openContents(seed),
    register: openRegister(),
    sessions: new Set(),
    unheard: new Set(),
    things: new Map(),
    counts: { asked: 0, acknowledged: 0, lost: 0, read: 0 },
    transactional: storage === 'local',
    // Replaced as soon as there is a server.
    wire: { ask: async () => ({ kind: 'unsent' }), drop() {} },
    ahead: 0,
    now() {
      return Date.now() + this.ahead;
    },
  };
}

interface Playing {
  readonly options: CampaignOptions;
  readonly stretch: Stretch;
  readonly counter: Counter;
  readonly holdings: () => Promise<Holdings>;
}

/** Answers how often the server was killed. */
async function playRounds(world: World, playing: Playing): Promise<number> {
  const { stretch, options } = playing;
  let { start, kills } = await firstStart(world, playing.counter);
  for (let round = stretch.first; round < stretch.first + stretch.rounds; round += 1) {
    const began = performance.now();
    const plan = choosePlan(world.random.child(`round ${round}`), { workers: start.workers, slow: options.storage !== 'local' });
    const before = { ...world.counts };
    await loadAndKill(world, playing.counter, plan, round);
    pass(world, plan.jump);
    await comeBack(world, plan);
    const open = world.sessions.size;
    await checkAll(world);
    kills += 1 + plan.startKills.length + (plan.worker === undefined ? 0 : 1);
    const last = round === stretch.first + stretch.rounds - 1;
    const later = last || round % options.straysEvery === 0 ? await checkLater(world, plan.start, playing.holdings) : undefined;
    options.tell(line({ round, plan, workers: start.workers, before, world, open, ms: performance.now() - began, later }));
    ({ start } = plan);
    await changeVersioning(world);
  }
  return kills;
}

/** The very first start is killed too, now and then. */
async function firstStart(world: World, counter: Counter): Promise<{ start: Plan['start']; kills: number }> {
  const { random, instance } = world;
  const start = chooseStart(random);
  const startKills = random.chance(0.7) ? Array.from({ length: random.between(1, 3) }, () => random.between(0, 1200)) : [];
  await comeBack(world, { start, startKills });
  const credentials = await instance.credentials();
  world.wire = openWire({ host: instance.host, credentials, now: () => world.now(), watch: counter });
  for (const { name, versioning } of world.buckets) {
    await demand(world, 'PUT', `/${name}`);
    if (versioning !== 'never') await setVersioning(world, name, 'Enabled');
  }
  return { start, kills: startKills.length };
}

/** One of the buckets stops keeping versions, and begins again. */
async function changeVersioning(world: World): Promise<void> {
  const bucket = world.buckets.find(({ name }) => name === 'paused');
  if (bucket === undefined || !world.random.chance(0.3)) return;
  bucket.versioning = bucket.versioning === 'on' ? 'paused' : 'on';
  await setVersioning(world, bucket.name, bucket.versioning === 'on' ? 'Enabled' : 'Suspended');
}

function setVersioning(world: World, bucket: string, status: 'Enabled' | 'Suspended'): Promise<void> {
  return demand(world, 'PUT', `/${bucket}`, `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`);
}

async function demand(world: World, method: string, path: string, body?: string): Promise<void> {
  const request = { method, path, ...(body === undefined ? {} : { query: { versioning: '' }, body: Buffer.from(body) }) };
  const answer = must(await ask(world, request));
  if (answer.status !== 200) throw unexpected(request, answer);
}

interface Line {
  readonly round: number;
  readonly plan: Plan;
  readonly workers: number;
  readonly before: Counts;
  readonly world: World;
  readonly open: number;
  readonly ms: number;
  readonly later: string | undefined;
}

function line({ round, plan, workers, before, world, open, ms, later }: Line): string {
  const { counts } = world;
  const how = `${plan.aim}${plan.ends ? '+end' : ''}${plan.worker === undefined ? '' : '+worker'}${plan.startKills.length === 0 ? '' : `+start×${plan.startKills.length}`}`;
  const acknowledged = counts.acknowledged - before.acknowledged;
  const did = `${acknowledged} answered, ${counts.lost - before.lost} lost, ${open} sessions`;
  return `${round} ${how} w${workers} ${did} ${Math.round(ms)} ms${later === undefined ? '' : `; no strays: ${later}`}`;
}
