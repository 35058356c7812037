/** One of several serving processes: builds its house, and does what the primary says. */
import cluster from 'node:cluster';
import type { Settings } from '../config/settings.ts';
import { shareCores } from '../core/hashing/lanes.ts';
import { ArtefactError } from '../errors.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { giveBackWhenQuiet } from '../quiet.ts';
import { startHouse, type House } from './house.ts';
import { ours, provedByPrimary, tellPrimary, type PrimaryMessage } from './messages.ts';
import { endOnUncaught, onStopSignals } from './signals.ts';

/** Serves until the primary, or a signal to this process alone, says stop. */
export async function runWorker(settings: Settings): Promise<void> {
  const log = createLog({ level: settings.logLevel, fields: { worker: cluster.worker?.id ?? 0 } });
  endOnUncaught(log);
  shareCores(settings.workers);
  const house = await startOrTell(settings, log);
  if (!house) return;
  let stopping = false;
  const stop = async (drainMs: number) => {
    const finished = house.close(drainMs);
    if (stopping) return;
    stopping = true;
    process.exit((await finished) ? 0 : 1);
  };
  process.on('message', (raw) => {
    const message = ours<PrimaryMessage>(raw);
    if (message?.bonded === 'lead') house.lead();
    if (message?.bonded === 'stop') void stop(message.drainMs);
  });
  onStopSignals(
    () => void stop(settings.drainMs),
    () => void stop(0),
    // A terminal sends Ctrl-C to every process; the primary passes it on in its own time.
    ['SIGTERM'],
  );
  process.on('SIGINT', () => {});
  giveBackWhenQuiet();
  tellPrimary({ bonded: 'ready', url: house.url });
}

async function startOrTell(settings: Settings, log: Log): Promise<House | undefined> {
  try {
    return await startHouse(settings, { log, watch: false, proved: provedByPrimary() });
  } catch (thrown) {
    const reason = thrown instanceof ArtefactError ? thrown.message : String(thrown);
    log.fatal({ err: thrown }, 'could not start');
    // What keeps it alive otherwise would be waited for by whoever reads the reason.
    tellPrimary({ bonded: 'failed', reason }, () => process.exit(1));
    return undefined;
  }
}
