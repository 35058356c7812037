/**
 * The first of several processes: makes the keys, watches the manifests, keeps the workers, serves the metrics of all.
 * It serves no client.
 */
import { loadSigningKeys } from '../authn/signingKey.ts';
import { openConfig, type Config } from '../config/openConfig.ts';
import type { Settings } from '../config/settings.ts';
import { startMetricsServer } from '../http/metricsServer.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createClusterMetrics } from '../telemetry/metrics.ts';
import { giveBackWhenQuiet } from '../quiet.ts';
import { addressUrl } from './addressUrl.ts';
import { banner } from './banner.ts';
import { watchDataDirectory } from './dataDirectory.ts';
import { LOCATION, LOCATIONS, trustedIssuers } from './installation.ts';
import { proveLocation } from './location.ts';
import { workerEnvironment } from './messages.ts';
import { endOnUncaught, onStopSignals } from './signals.ts';
import { Supervisor } from './supervisor.ts';

/** Serves with several workers until it is told to stop, then ends the process. */
export async function runPrimary(settings: Settings): Promise<void> {
  const log = createLog({ level: settings.logLevel });
  endOnUncaught(log);
  const { config, proved } = await prepare(settings, log);
  const metrics = createClusterMetrics();
  const metricsServer = await startMetricsServer(settings.metricsListen, metrics, log);
  const supervisor = new Supervisor({
    workers: settings.workers,
    log,
    environment: workerEnvironment(proved),
    onCount: (ready) => metrics.workers(ready),
    onRestart: () => metrics.restarted(),
    // A worker would make an empty store in the place of one that was taken away.
    hindrance: watchDataDirectory(settings.data),
    onReady(url) {
      log.info({ url, workers: settings.workers }, 'listening');
      process.stderr.write(
        banner({
          url,
          metricsUrl: `${addressUrl(metricsServer.address)}/metrics`,
          credentialsFile: config.root.file,
          first: config.root.created,
        }),
      );
    },
    onHopeless(reason) {
      process.stderr.write(`Bonded could not start: ${reason}\n`);
      void supervisor.stop(0).then(() => process.exit(1));
    },
  });
  giveBackWhenQuiet();
  onStopSignals(
    () => void stop(),
    () => void supervisor.stop(0),
  );

  async function stop(): Promise<void> {
    log.info({ drainMs: settings.drainMs }, 'stopping');
    const finished = await supervisor.stop(settings.drainMs);
    await metricsServer.close();
    await config.close();
    log.info({ finished }, 'stopped');
    process.exit(finished ? 0 : 1);
  }
}

/** What must be there once, before several processes look for it. */
async function prepare(settings: Settings, log: Log): Promise<{ readonly config: Config; readonly proved: string | undefined }> {
  const issuers = await trustedIssuers(settings);
  await loadSigningKeys(settings.signingKeyFile);
  const { data, manifests } = settings;
  const proved = await proveLocation(settings, LOCATION);
  return { config: await openConfig({ data, manifests, issuers, locations: LOCATIONS, watch: true, log }), proved };
}
