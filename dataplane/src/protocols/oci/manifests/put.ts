/** PUT of a manifest (distribution-spec 1.1, "Pushing manifests"), with any number of tags. */
import { createHash } from 'node:crypto';
import type { BucketConfig } from '@bonded/crds';
import type { Core } from '../../../core/core.ts';
import type { DigestName } from '../../../core/digest.ts';
import type { Descriptor } from '../../../core/registry/contract.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Reply } from '../../contract.ts';
import { readWhole } from '../../wholeBody.ts';
import { expectedOf } from '../blobs/upload.ts';
import { bucketOf, resourceOf } from '../call.ts';
import { readTag } from '../names.ts';
import { pathOf } from '../path.ts';
import { fallbackSubject } from './fallback.ts';
import { readReference } from './manifest.ts';
import type { ManifestCall } from './manifest.ts';
import { MAX_MANIFEST, readManifest, requireListable } from './read.ts';
import type { ReadManifest } from './read.ts';

/** Tags of one push (end-7b asks for ten at least). */
const MAX_TAGS = 100;

export async function putManifest(call: ManifestCall, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const { repository } = call.params;
  const reference = readReference(call.params.reference);
  const tags = tagsOf(call, 'tag' in reference ? reference.tag : undefined);
  const bytes = await readWhole(call.payload, MAX_MANIFEST);
  const manifest = readManifest(bytes, call.head.headers['content-type']);
  const digest = 'digest' in reference ? reference.digest : digestOf(bytes, 'sha256');
  if ('digest' in reference) requireDigest(bytes, digest);
  const mayOverwrite = call.may({ action: 'overwrite', s3Action: 's3:PutObject', resource: resourceOf(call.params) });
  const tagging = (tag: string) => ({ repository, tag, digest, mayOverwrite, actor: call.actor });
  for (const tag of tags) await core.registry.mayTag(bucket, tagging(tag));
  await store(call, core, bucket, { bytes, manifest, digest, tags });
  for (const tag of tags) await core.registry.tag(bucket, tagging(tag));
  const several = 'digest' in reference && tags.length > 0;
  return {
    status: 201,
    headers: {
      location: pathOf(call.params, `manifests/${digest}`),
      'docker-content-digest': digest,
      ...(manifest.subject !== undefined && { 'oci-subject': manifest.subject }),
      ...(several && { 'oci-tag': tags }),
    },
  };
}

interface Pushed {
  readonly bytes: Uint8Array;
  readonly manifest: ReadManifest;
  readonly digest: DigestName;
  readonly tags: readonly string[];
}

async function store(call: ManifestCall, core: Core, bucket: BucketConfig, { bytes, manifest, digest, tags }: Pushed): Promise<void> {
  const { mediaType, blobs, children, subject } = manifest;
  const descriptor = descriptorOf(manifest, digest, bytes.length);
  const listedAbout = tags.map(fallbackSubject).find((one) => one !== undefined);
  if (listedAbout !== undefined) requireListable(manifest.manifests);
  const arrived = await core.objects.receive(bucket, once(bytes), expectedOf(digest));
  const push = {
    repository: call.params.repository,
    digest,
    arrived,
    mediaType,
    blobs,
    children,
    ...(subject !== undefined && { subject: { digest: subject, descriptor } }),
    ...(listedAbout !== undefined && { listed: { subject: listedAbout, descriptors: manifest.manifests } }),
  };
  await core.registry.putManifest(bucket, push, call.actor);
}

function descriptorOf({ mediaType, artifactType, annotations }: ReadManifest, digest: DigestName, size: number): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
}

/** The tag in the path, or those of the query. Throws `InvalidArgument`. */
function tagsOf({ head }: ManifestCall, tag: string | undefined): readonly string[] {
  const given = head.query.filter(([name]) => name === 'tag').map(([, value]) => readTag(value));
  if (given.length > MAX_TAGS) {
    throw new ArtefactError('InvalidArgument', `At most ${MAX_TAGS} tags go with one push.`, { details: { reason: 'tags' } });
  }
  if (tag === undefined) return [...new Set(given)];
  if (given.length > 0)
    throw new ArtefactError('InvalidArgument', 'Several tags go with a push by digest.', { details: { reason: 'tag' } });
  return [tag];
}

function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512'): DigestName {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as DigestName;
}

function requireDigest(bytes: Uint8Array, digest: DigestName): void {
  if (digestOf(bytes, digest.startsWith('sha512:') ? 'sha512' : 'sha256') === digest) return;
  throw new ArtefactError('DigestMismatch', 'The digest is not that of the manifest.', { details: { expectedDigest: digest } });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
