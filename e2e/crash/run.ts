/** Command line: `node e2e/crash/run.ts --rounds 2000 --seed any --log docs/crash-log.txt`. */
import { createWriteStream } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { BACKENDS } from '../s3-backend/backend.ts';
import { runCampaign, type CampaignOptions } from './campaign.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    storage: { type: 'string', default: 'local' },
    'per-directory': { type: 'string', default: '50' },
    'strays-every': { type: 'string', default: '10' },
    log: { type: 'string' },
    under: { type: 'string' },
    checkout: { type: 'string' },
  },
});

const storage = ['local' as const, ...BACKENDS].find((name) => name === values.storage);
if (storage === undefined) throw new Error(`--storage is one of local, ${BACKENDS.join(', ')}`);

const log = values.log === undefined ? undefined : createWriteStream(values.log);
const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
  log?.write(`${text}\n`);
};
const options: CampaignOptions = {
  rounds: Number(values.rounds),
  seed: values.seed,
  storage,
  perDirectory: Number(values['per-directory']),
  straysEvery: Number(values['strays-every']),
  ...(values.under === undefined ? {} : { under: values.under }),
  ...(values.checkout === undefined ? {} : { checkout: values.checkout }),
  tell,
};

const started = Date.now();
tell(
  `seed ${options.seed}, ${options.rounds} rounds, storage ${storage}, node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
try {
  const summary = await runCampaign(options);
  const { kills, asked, acknowledged, lost, read, collections, unjudged } = summary;
  tell(
    `${summary.rounds} rounds passed in ${Math.round((Date.now() - started) / 1000)} s: ${kills} kills, ${asked} requests, ${acknowledged} of them answered`,
  );
  tell(
    `with success and ${lost} lost, ${read} contents read and compared, ${collections} rounds of collection, ${unjudged} names not judged.`,
  );
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
log?.end();
