/** Where clients may fetch bytes themselves. */
import type { PresignedHeaders, Store } from '../storage/contract.ts';
import type { Admitted } from './door.ts';
import { findDigest } from './digests.ts';

/** How long an address is good for, and what the answer at it says. */
export interface Address {
  readonly expiresSeconds: number;
  readonly responseHeaders: PresignedHeaders;
}

/** What `Objects.locate` promises. Bytes that stand in several blobs have no one address. */
export async function locate(store: Store, { digest }: Admitted, address: Address): Promise<string | undefined> {
  if (!store.presign) return undefined;
  const found = await findDigest(store, digest);
  const [segment, ...rest] = found?.record.segments ?? [];
  if (!segment || rest.length > 0) return undefined;
  return store.presign.presignGet(segment[0], address);
}
