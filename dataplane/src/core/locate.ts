/** Where clients may fetch bytes themselves. */
import type { BucketConfig } from '@bonded/crds';
import type { PresignedHeaders, Store } from '../storage/contract.ts';
import type { CoreContext } from './context.ts';
import { storeOf } from './context.ts';
import type { Actor } from './core.ts';
import { findDigest } from './digests.ts';
import type { Admitted } from './door.ts';
import { journalChange } from './journal.ts';
import type { ObjectVersion } from './object.ts';
import { soundSegments } from './quarantine.ts';

/** How long an address is good for, and what the answer at it says. */
interface Address {
  readonly expiresSeconds: number;
  readonly responseHeaders: PresignedHeaders;
}

/** An address, whom it is given to, and the name under which the bytes were asked for. */
export interface Giving {
  readonly address: Address;
  readonly version: ObjectVersion;
  readonly actor: Actor;
}

/**
 * What `Objects.locate` promises. Whoever has an address needs nothing else, and what is done with it is seen by nobody here: so
 * it is written down that it was given before it is. Bytes that stand in several blobs have no one address.
 */
export async function locate(
  context: CoreContext,
  bucket: BucketConfig,
  { digest }: Admitted,
  { address, version, actor }: Giving,
): Promise<string | undefined> {
  const store = storeOf(context, bucket);
  const location = await presign(store, digest, address);
  if (location === undefined) return undefined;
  const { key, versionId, size } = version;
  // Reckoned after it was signed, so that it is never said to end before it does. Signatures hold by the clock, not by the core's.
  const expires = new Date(Date.now() + address.expiresSeconds * 1000).toISOString();
  const happening = { actor, change: 'redirect', bucket: bucket.name, name: key, versionId, digest, size, expires } as const;
  await store.records.write([journalChange(context, happening)]);
  return location;
}

async function presign(
  store: Store,
  digest: Admitted['digest'],
  { expiresSeconds, responseHeaders }: Address,
): Promise<string | undefined> {
  if (!store.presign) return undefined;
  const found = await findDigest(store, digest);
  const [segment, ...rest] = found === undefined ? [] : soundSegments(found.record, digest);
  if (!segment || rest.length > 0) return undefined;
  return store.presign.presignGet(segment[0], { expiresSeconds, responseHeaders });
}
