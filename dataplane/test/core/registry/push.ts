/** Pushing to a registry, as tests do it. */
import { createHash, randomBytes } from 'node:crypto';
import type { BucketConfig } from '@bonded/crds';
import type { DigestName } from '../../../src/core/digest.ts';
import type { ManifestPush } from '../../../src/core/registry/contract.ts';
import type { TestCore } from '../core.fixture.ts';
import { ACTOR, bytesOf } from '../core.fixture.ts';

export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const sha256 = (bytes: Uint8Array | string): DigestName => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface Pushes {
  blob(body: Uint8Array | string, repository?: string): Promise<DigestName>;
  /** A manifest with bytes of its own that names these blobs. */
  manifest(blobs: readonly DigestName[], more?: Partial<ManifestPush>): Promise<DigestName>;
  tag(tag: string, digest: DigestName, mayOverwrite?: boolean): Promise<void>;
}

export function pushesTo({ core }: TestCore, bucket: BucketConfig, repository = 'app'): Pushes {
  const arrive = (body: Uint8Array | string) => core.objects.receive(bucket, bytesOf(body), {});
  return {
    async blob(body, into = repository) {
      const place = { repository: into, digest: sha256(body) };
      await core.registry.putBlob(bucket, place, await arrive(body), ACTOR);
      return place.digest;
    },
    async manifest(blobs, more = {}) {
      const body = JSON.stringify({ blobs, salt: randomBytes(8).toString('hex') });
      const digest = sha256(body);
      const push = { repository, digest, mediaType: OCI_IMAGE, blobs, children: [], arrived: await arrive(body), ...more };
      await core.registry.putManifest(bucket, push, ACTOR);
      return push.digest;
    },
    tag: (tag, digest, mayOverwrite = true) => core.registry.tag(bucket, { repository, tag, digest, mayOverwrite, actor: ACTOR }),
  };
}
