/** Everything in one process: `BONDED_WORKERS=1`. */
import type { Settings } from '../config/settings.ts';
import { startMetricsServer } from '../http/metricsServer.ts';
import { giveBackWhenQuiet } from '../quiet.ts';
import { banner } from './banner.ts';
import { startHouse } from './house.ts';
import { endOnUncaught, onStopSignals } from './signals.ts';
import { addressUrl } from './addressUrl.ts';

/** Serves until it is told to stop, then ends the process. */
export async function runAlone(settings: Settings): Promise<void> {
  const house = await startHouse(settings);
  endOnUncaught(house.log);
  const metrics = await startMetricsServer(settings.metricsListen, house.metrics, house.log);
  house.lead();
  giveBackWhenQuiet();
  house.log.info({ url: house.url, workers: 1 }, 'listening');
  process.stderr.write(
    banner({
      url: house.url,
      metricsUrl: `${addressUrl(metrics.address)}/metrics`,
      credentialsFile: house.root.file,
      first: house.root.created,
    }),
  );

  const stop = async (drainMs: number) => {
    house.log.info({ drainMs }, 'stopping');
    const finished = await house.close(drainMs);
    await metrics.close();
    house.log.info({ finished }, 'stopped');
    process.exit(finished ? 0 : 1);
  };
  onStopSignals(
    () => void stop(settings.drainMs),
    () => void house.close(0),
  );
}
