/** A server with a bucket that anyone may write to: what attacks it needs no key, and what it refuses it refuses for another reason. */
import { openBucketManifests } from '../openBucket.ts';
import { startServer, type Server, type ServerOptions } from '../server.ts';

export const BUCKET = 'open';

export function startOpenServer(options: Pick<ServerOptions, 'env' | 'tls' | 'through'> = {}): Promise<Server> {
  return startServer({ ...options, manifests: { 'open.yaml': openBucketManifests(BUCKET) } });
}
