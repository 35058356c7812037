/** Builds one process's rooms, from storage to the socket, and takes them down again in the opposite order. */
import { createAuthenticator, type Authenticator } from '../authn/authenticate.ts';
import { loadSigningKeys } from '../authn/signingKey.ts';
import { openConfig, type Config } from '../config/openConfig.ts';
import type { Settings } from '../config/settings.ts';
import type { Core } from '../core/core.ts';
import { createCore } from '../core/createCore.ts';
import { ArtefactError } from '../errors.ts';
import { createHealth, type Check, type Health } from '../http/health.ts';
import { BODY_WINDOW_MS, type HttpLimits } from '../http/limits.ts';
import { createClientReader } from '../http/proxies.ts';
import { startServer, type HttpServer } from '../http/server.ts';
import { loadTls } from '../http/tls.ts';
import type { Store } from '../storage/contract.ts';
import { instrumentStore } from '../storage/instrument.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { startTelemetry } from '../telemetry/traces.ts';
import { addressUrl } from './addressUrl.ts';
import { affordableConnections } from './descriptors.ts';
import { startCollector, type Collector } from './collector.ts';
import { createGate } from './gate.ts';
import { LOCATION, LOCATIONS, trustedIssuers } from './installation.ts';
import { openLocation, type Proved } from './location.ts';
import { createMounts } from './mounts.ts';
import { createScrubObserver, startScrubber, type Scrubber } from './scrubber.ts';

/** What a test, or a process among several, puts in the place of the usual. */
export interface HouseOverrides {
  readonly log?: Log;
  readonly store?: Store;
  /** What the storage location is that was proved already. */
  readonly proved?: Proved | undefined;
  /** Watches the manifests: one process of the machine does. Default true. */
  readonly watch?: boolean;
  /** Ms since the epoch, for the core. */
  readonly now?: () => number;
}

export interface House {
  /** Where it is served, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly address: HttpServer['address'];
  readonly root: Config['root'];
  readonly metrics: Metrics;
  readonly log: Log;
  /** From now on this process collects what nothing names any more, and scrubs what is stored: one process of the machine does. */
  lead(): void;
  /** Stops; transfers under way have `drainMs` (default: the setting). Answers whether all finished. Another call hurries it. */
  close(drainMs?: number): Promise<boolean>;
}

/** Opens everything that the settings name, and serves. Whatever fails, nothing stays open. */
export async function startHouse(settings: Settings, overrides: HouseOverrides = {}): Promise<House> {
  const closers = new AsyncDisposableStack();
  try {
    return await build(settings, overrides, closers);
  } catch (thrown) {
    await closers.disposeAsync();
    throw thrown;
  }
}

async function build(settings: Settings, overrides: HouseOverrides, closers: AsyncDisposableStack): Promise<House> {
  const log = overrides.log ?? createLog({ level: settings.logLevel });
  const telemetry = await startTelemetry();
  closers.defer(() => telemetry.stop());
  const metrics = createMetrics({ process: true });
  const issuers = await trustedIssuers(settings);
  const { data, manifests } = settings;
  const config = await openConfig({ data, manifests, issuers, locations: LOCATIONS, watch: overrides.watch ?? true, log });
  closers.defer(() => config.close());
  const opened = overrides.store ?? (await openLocation(settings, LOCATION, overrides.proved));
  closers.defer(() => opened.close());
  const store = instrumentStore(opened, metrics);
  const core = buildCore(settings, { store, config, now: overrides.now, metrics, log });
  await core.journal.resume();
  let collector: Collector | undefined;
  closers.defer(() => collector?.stop());
  let scrubber: Scrubber | undefined;
  closers.defer(() => scrubber?.stop());
  const authenticator = createAuthenticator({ issuers, sessionKeys: await loadSigningKeys(settings.signingKeyFile), log });
  const health = createHealth(readinessChecks(store, config));
  const server = await serveClients(settings, { core, authenticator, config, health, metrics, log });
  let closed: Promise<void> | undefined;
  return {
    url: addressUrl(server.address, settings.tls ? 'https' : 'http'),
    address: server.address,
    root: config.root,
    metrics,
    log,
    lead: () => {
      collector ??= startCollector(core.collection, { graceMs: settings.graceMs, log });
      scrubber ??= startScrubber(core.scrub, log);
    },
    async close(drainMs = settings.drainMs) {
      health.stopping('This server is stopping.');
      const finished = await server.close(drainMs);
      await (closed ??= closers.disposeAsync());
      return finished;
    },
  };
}

interface CoreRooms extends Pick<ServingRooms, 'config' | 'metrics' | 'log'> {
  readonly store: Store;
  readonly now: (() => number) | undefined;
}

function buildCore(settings: Settings, { store, config, now, metrics, log }: CoreRooms): Core {
  return createCore({
    stores: new Map([[LOCATION, store]]),
    writer: config.writer,
    claimedBuckets: () => new Set(config.current().bucketsByName.keys()),
    terms: { grace: settings.graceMs, uploadLife: settings.uploadLifeMs },
    scrub: { budget: settings.scrub, observer: createScrubObserver(metrics.scrub, log) },
    ...(now ? { now } : {}),
  });
}

interface ServingRooms {
  readonly core: Core;
  readonly authenticator: Authenticator;
  readonly config: Config;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
}

async function serveClients(settings: Settings, rooms: ServingRooms): Promise<HttpServer> {
  const { core, authenticator, config, health, metrics, log } = rooms;
  const snapshot = () => config.current();
  const mounts = createMounts({ settings, authenticator, health, snapshot });
  const tls = settings.tls && (await loadTls(settings.tls, log));
  const limits = edgeLimits(settings, log);
  return startServer(
    { ...settings.listen, mounts, readClient: createClientReader(settings.trustedProxies), ...(tls ? { tls } : {}) },
    { core, gate: createGate(authenticator, log), snapshot, limits, metrics, log },
  );
}

function edgeLimits({ limits }: Settings, log: Log): HttpLimits {
  const maxConnections = affordableConnections(limits.maxConnections);
  if (maxConnections < limits.maxConnections) log.info({ maxConnections }, 'fewer connections than set: the limit on open files is low');
  return { ...limits, maxConnections, bodyWindowMs: BODY_WINDOW_MS };
}

function readinessChecks(store: Store, config: Config): readonly Check[] {
  return [
    { name: 'storage', run: () => store.check().then(() => undefined) },
    {
      name: 'configuration',
      async run() {
        try {
          config.current();
          return undefined;
        } catch (thrown) {
          if (!(thrown instanceof ArtefactError)) throw thrown;
          const { problems } = config.status();
          return problems.length === 0
            ? thrown.message
            : `None is in force, for the manifests have ${problems.length} problems; the log tells them.`;
        }
      },
    },
  ];
}
