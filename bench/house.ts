/** The servers that the measurements are made on. */
import { openBucketManifests } from '../e2e/src/openBucket.ts';
import { startServer, type Server } from '../e2e/src/server.ts';

export const BUCKET = 'bench';

// Anyone may write here, so that a figure is of the store and not of the client's signing; some figures are signed.
const MANIFESTS = openBucketManifests(BUCKET);

export interface BondedOptions {
  /** A data directory that is there already, and stays. */
  readonly dataFolder?: string;
  /** Worker processes; one per core when left out. */
  readonly workers?: number;
  /** Where its content is kept, if not in the data directory: what `storageIn` answers. */
  readonly storage?: Readonly<Record<string, string>>;
}

/** Bonded with a bucket that anyone may write to, logging nothing below warnings; on a fresh data directory unless told another. */
export function startBonded({ dataFolder, workers, storage }: BondedOptions = {}): Promise<Server> {
  return startServer({
    manifests: { 'bench.yaml': MANIFESTS },
    ...(dataFolder === undefined ? {} : { dataFolder }),
    env: { ...storage, BONDED_LOG_LEVEL: 'warn', ...(workers === undefined ? {} : { BONDED_WORKERS: String(workers) }) },
  });
}

/** The address of the bucket. */
export function bucketUrl(server: Server): string {
  return `${server.url}/${BUCKET}`;
}
