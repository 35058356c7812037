/** The configuration of this machine, open: what is in force, how it stands with the manifests, and changes through the API. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Condition } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { createApiManifests } from './apiManifests.ts';
import { watchDirectory, type WatchTiming } from './directory.ts';
import type { TrustedIssuer } from './issuers.ts';
import { openWriterLock } from './lock.ts';
import { createManifestReader } from './manifests.ts';
import { publishManifests, renewBuiltInOwner, type Publication, type PublishContext } from './publish.ts';
import { loadRootCredentials, type RootCredentials } from './rootCredentials.ts';
import { indexSnapshot, type LoadedSnapshot } from './snapshot.ts';
import { openConfigStore, type ConfigStore } from './store.ts';
import { createManifestWriter, type ManifestWriter } from './writer.ts';

export interface ConfigOptions {
  /** The data directory; made when it is not there. Holds `config.db`, `writer.lock` and `root-credentials`. */
  readonly data: string;
  /** The directory of manifests; made when it is not there. */
  readonly manifests: string;
  readonly issuers: readonly Pick<TrustedIssuer, 'issuer' | 'kubernetes'>[];
  /** Storage locations that the installation has; default: only `default`. */
  readonly locations?: readonly string[];
  /** Watches the directory from this process: one of the machine's processes does. */
  readonly watch: boolean;
  readonly log: Log;
  readonly timing?: WatchTiming;
}

export interface ConfigStatus {
  /** False while nothing has ever been in force. */
  readonly ready: boolean;
  /** Of the snapshot in force. */
  readonly revision?: string;
  /** Why the manifests, as they are now, are refused: `file:line: reason` each. What was in force before still is. */
  readonly problems: readonly string[];
  /** Resources that are not (wholly) in force. */
  readonly notReady: readonly Condition[];
}

export interface Config {
  /**
   * What is in force in every process of the machine at this moment; costs microseconds unless it changed. Throws
   * `Unavailable` while nothing has ever been in force.
   */
  current(): LoadedSnapshot;
  status(): ConfigStatus;
  /** Reads the manifests now. */
  reload(): Promise<Publication>;
  readonly writer: ManifestWriter;
  /** The built-in Owner's key. */
  readonly root: RootCredentials;
  close(): Promise<void>;
}

/**
 * Opens it. A process that watches reads the manifests before it resolves; one that does not leaves that to the one that
 * does, unless nothing was ever in force. When the manifests are broken, what was in force at the last run is in force
 * again. Throws `Unavailable` when the data directory cannot be used.
 */
export async function openConfig(options: ConfigOptions): Promise<Config> {
  const directory = resolve(options.manifests);
  const root = await loadRootCredentials(options.data);
  await mkdir(directory, { recursive: true });
  const store = openConfigStore(join(options.data, 'config.db'));
  const lock = openWriterLock(join(options.data, 'writer.lock'));
  const terms = { issuers: options.issuers, locations: options.locations ?? ['default'] };
  const reload = reloader({ store, reader: createManifestReader(directory), root, terms }, options.log);
  renewBuiltInOwner(store, root);
  if (options.watch || store.counter() === 0) await reload();
  const watching = options.watch ? watchDirectory(directory, quietly(reload, options.log), options.timing) : undefined;
  const current = currentSnapshot(store);
  return {
    current,
    status: () => statusOf(store),
    reload,
    writer: createManifestWriter({ manifests: createApiManifests(directory), lock, publish: reload, snapshot: current }),
    root,
    async close() {
      await watching?.close();
      lock.close();
      store.close();
    },
  };
}

function currentSnapshot(store: ConfigStore): () => LoadedSnapshot {
  let counter = 0;
  let snapshot: LoadedSnapshot | undefined;
  return () => {
    if (store.counter() !== counter) {
      const loaded = store.load();
      snapshot = loaded && indexSnapshot(loaded.snapshot);
      counter = loaded?.counter ?? 0;
    }
    if (snapshot) return snapshot;
    throw new ArtefactError('Unavailable', 'No configuration is in force yet; /readyz says why.');
  };
}

/** Publishes, and tells once of every change of what is wrong. */
function reloader(context: PublishContext, log: Log): () => Promise<Publication> {
  return async () => {
    const before = context.store.problems().join('\n');
    const publication = await publishManifests(context);
    const problems = publication.outcome === 'refused' ? publication.problems : [];
    if (problems.join('\n') !== before) {
      if (problems.length > 0) log.error({ problems }, 'manifests refused; what was in force before stays in force');
      else log.info('manifests are good again');
    }
    return publication;
  };
}

function quietly(reload: () => Promise<Publication>, log: Log): () => Promise<void> {
  return async () => {
    try {
      await reload();
    } catch (error) {
      log.error({ err: error }, 'manifests could not be read');
    }
  };
}

function statusOf(store: ConfigStore): ConfigStatus {
  const loaded = store.load();
  return {
    ready: loaded !== undefined,
    ...(loaded && { revision: loaded.snapshot.revision }),
    problems: store.problems(),
    notReady: loaded?.conditions.filter(({ ready }) => !ready) ?? [],
  };
}
