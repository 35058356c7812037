/** Manifests: GET and HEAD by tag or digest, DELETE of either. */
import { hash } from 'node:crypto';
import type { Core } from '../../../core/core.ts';
import { parseDigestName } from '../../../core/digest.ts';
import type { Reference } from '../../../core/registry/contract.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../call.ts';
import { answerContent } from '../content.ts';
import type { Repository } from '../names.ts';
import { readTag } from '../names.ts';
import { madeIndex } from './fallback.ts';
import { OCI_INDEX } from './read.ts';

export type ManifestCall = Call<Repository & { readonly reference: string }>;

/** A digest has a colon, and a tag has none. Throws `InvalidDigest`, and `InvalidArgument` for what is neither. */
export function readReference(text: string): Reference {
  return text.includes(':') ? { digest: parseDigestName(text) } : { tag: readTag(text) };
}

export async function getManifest(call: ManifestCall, core: Core): Promise<Reply> {
  const { repository } = call.params;
  const reference = readReference(call.params.reference);
  const made = 'tag' in reference ? await madeIndex(call, core, reference.tag) : undefined;
  if (made !== undefined) return answerIndex(made);
  return answerContent(call, core, await core.registry.findManifest(bucketOf(call), repository, reference));
}

/** It is made for this answer: nothing stands under its digest. */
function answerIndex(index: string): Reply {
  const digest = `sha256:${hash('sha256', index, 'hex')}`;
  const headers = { 'content-type': OCI_INDEX, 'content-length': String(Buffer.byteLength(index)), 'docker-content-digest': digest };
  return { status: 200, headers, body: index };
}

/** A tag goes alone; a manifest goes with its tags. */
export async function deleteManifest(call: ManifestCall, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  const { repository } = call.params;
  const reference = readReference(call.params.reference);
  if ('tag' in reference) await core.registry.untag(bucket, repository, reference.tag, call.actor);
  else await core.registry.deleteManifest(bucket, { repository, digest: reference.digest }, call.actor);
  return { status: 202 };
}
