/** Naming bytes that arrived: the store's own where it has the same ones already. */
import type { OpenBucket } from './buckets.ts';
import type { CoreContext } from './context.ts';
import type { Arrived, PutResult } from './core.ts';
import { planAdoption } from './digests.ts';
import type { Adoption } from './digests.ts';
import { nameContent } from './put.ts';
import type { Naming } from './put.ts';
import { discard } from './receive.ts';

/** What `Objects.put` promises, with whatever goes into the same batch. */
export async function nameArrived(
  context: CoreContext,
  arrived: Arrived,
  naming: Omit<Naming, 'content' | 'adopt'> & { readonly bucket: OpenBucket },
): Promise<PutResult> {
  const { store } = naming.bucket;
  const { content, place } = arrived;
  const bytes = { taken: false };
  const adopt = async (): Promise<Adoption> => {
    const adoption = await planAdoption(store, content.digest, { place, size: content.size }, { context, actor: naming.actor });
    bytes.taken = !adoption.known;
    return adoption;
  };
  const done = await nameContent(context, { ...naming, content, adopt }).catch(async (error: unknown) => {
    await discard(store, arrived);
    throw error;
  });
  // Bytes that the store had already are not needed.
  if (!bytes.taken) await discard(store, arrived);
  return done;
}
