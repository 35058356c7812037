/**
 * Blobs that may come back. When an attempt to store one had no answer and another succeeded, the first may still be under way, and
 * arrive for as long as its signature holds: should the blob have been deleted by then, its bytes would stand there with nobody
 * knowing of them. So it is noted, before the blob counts as stored, under which nonce it stands; what arrives later has another.
 */
import type { BlobId } from '../contract.ts';
import { blobName } from './blobNames.ts';
import { S3Failure, translate } from './failure.ts';
import type { Objects } from './objects.ts';
import { PROBE } from './probe.ts';
import { repeated, type Patience } from './patience.ts';

/** Where the notes stand, under the place's prefix: under the blob's id, followed by the nonce. */
export const LATE = 'late/';

/** Stands between the two; ids do not hold it. */
const BETWEEN = '!';

const PAGE = 1000;

export interface Watching extends Patience {
  readonly objects: Objects;
  /** No request arrives later than this after it was signed, in ms. */
  readonly sealMs: number;
}

/** Notes durably that attempts to store a blob may still arrive; `nonce` is that of the one by which it stands. */
export async function watchFor(room: Patience & Pick<Watching, 'objects'>, id: BlobId, nonce: string): Promise<void> {
  try {
    await repeated(room, () => room.objects.put(LATE + id + BETWEEN + nonce, new Uint8Array()));
  } catch (thrown) {
    throw translate(thrown, room.location);
  }
}

/** Removes what arrived late, once nothing more can. Several processes may do so at once. */
export async function removeLate(room: Watching, signal?: AbortSignal): Promise<void> {
  for await (const name of oldNames(room, LATE, signal)) {
    const [id = '', nonce] = name.slice(LATE.length).split(BETWEEN);
    const standing = await nonceOf(room, id);
    if (standing !== undefined && standing.nonce !== nonce) await repeated(room, () => room.objects.delete(blobName(id)));
    await repeated(room, () => room.objects.delete(name));
  }
  // A probe removes what it wrote, but not what arrived after that.
  for await (const name of oldNames(room, PROBE, signal)) await repeated(room, () => room.objects.delete(name));
}

async function* oldNames(room: Watching, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, void> {
  for (let token: string | undefined; ;) {
    const page = await repeated(room, () => room.objects.list({ prefix, limit: PAGE, ...(token !== undefined && { token }) }));
    for (const { name, modified } of page.objects) {
      if (signal?.aborted === true) return;
      if (Date.now() - modified >= room.sealMs) yield name;
    }
    token = page.token;
    if (token === undefined) return;
  }
}

async function nonceOf(room: Watching, id: BlobId): Promise<{ readonly nonce: string | undefined } | undefined> {
  try {
    return await repeated(room, () => room.objects.head(blobName(id)));
  } catch (thrown) {
    if (thrown instanceof S3Failure && thrown.kind === 'missing') return undefined;
    throw thrown;
  }
}
