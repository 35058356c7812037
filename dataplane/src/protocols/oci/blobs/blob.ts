/** A blob by its digest: GET, HEAD, DELETE. */
import type { Core } from '../../../core/core.ts';
import { parseDigestName } from '../../../core/digest.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../call.ts';
import { answerContent } from '../content.ts';
import type { Repository } from '../names.ts';

export type BlobCall = Call<Repository & { readonly digest: string }>;

/** Also HEAD, by which clients ask whether they must push it. */
export async function getBlob(call: BlobCall, core: Core): Promise<Reply> {
  const { repository } = call.params;
  const digest = parseDigestName(call.params.digest);
  const version = await core.registry.findBlob(bucketOf(call), { repository, digest }, call.head.method === 'HEAD');
  return answerContent(call, core, { digest, mediaType: 'application/octet-stream', version });
}

export async function deleteBlob(call: BlobCall, core: Core): Promise<Reply> {
  const { repository } = call.params;
  const digest = parseDigestName(call.params.digest);
  await core.registry.deleteBlob(bucketOf(call), { repository, digest }, call.actor);
  return { status: 202, headers: { 'docker-content-digest': digest } };
}
