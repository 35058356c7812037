/** A place for the conformance suite in a bucket of a real server, perhaps behind a proxy. */
import type { Place } from '../../dataplane/test/storage/conformance.ts';
import { openS3Store, type S3StoreOptions } from '../../dataplane/src/storage/s3/store.ts';
import type { Backend } from './backend.ts';

/** Opens a store in a new bucket. `endpoint`: of a proxy before the server. */
export async function openPlace(
  backend: Backend,
  { endpoint = backend.endpoint, terms }: { endpoint?: string; terms?: S3StoreOptions['terms'] } = {},
): Promise<Place> {
  const bucket = await backend.newBucket();
  const options: S3StoreOptions = {
    bucket,
    prefix: 'place/',
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: backend.credentials,
    terms: { partBytes: 5 * 1024 * 1024, ...terms },
  };
  const store = await openS3Store(options);
  const stray = /^place\/(records|blobs|graves|late)\//;
  return {
    store,
    reopen: () => openS3Store(options),
    leftovers: async () => (await backend.contents(bucket)).filter((name) => !stray.test(name)),
    cleanup: async () => {
      await store.close();
      await backend.empty(bucket);
    },
  };
}
