/** Bytes of a repository on their way out: whole or one range of them, by digest. */
import type { Core } from '../../core/core.ts';
import type { DigestName } from '../../core/digest.ts';
import type { ObjectVersion } from '../../core/object.ts';
import { registryOf } from '../../core/realm.ts';
import { ArtefactError } from '../../errors.ts';
import { readRange } from '../byteRange.ts';
import type { Call, Reply } from '../contract.ts';
import { bucketOf, resourceOf } from './call.ts';
import type { Repository } from './names.ts';

/** What is to leave, under the name that the client asked for. */
export interface Leaving {
  readonly digest: DigestName;
  readonly mediaType: string;
  readonly version: ObjectVersion;
}

/** distribution-spec 1.1, "Pulling manifests", "Pulling blobs"; bytes never change under a digest. */
export async function answerContent(call: Call<Repository>, core: Core, { digest, mediaType, version }: Leaving): Promise<Reply> {
  const { headers } = call.head;
  if (isKnown(headers['if-none-match'], digest)) throw new ArtefactError('NotModified', 'Not modified');
  const bucket = registryOf(bucketOf(call));
  const given = headers.range;
  const range = given === undefined || !isStillMeant(headers['if-range'], digest) ? undefined : readRange(given, version.size);
  const reply = {
    status: range === undefined ? 200 : 206,
    headers: {
      'content-type': mediaType,
      'content-length': String(range?.length ?? version.size),
      'docker-content-digest': digest,
      etag: `"${digest}"`,
      'accept-ranges': 'bytes',
      ...(range === undefined ? {} : { 'content-range': `bytes ${range.offset}-${range.offset + range.length - 1}/${version.size}` }),
    },
  };
  if (call.head.method === 'HEAD') {
    await core.objects.checkSound(bucket, version);
    return reply;
  }
  const admitted = await call.admit({ digest: version.digest, resource: resourceOf(call.params) });
  const small = await core.objects.small(bucket, admitted, range);
  return { ...reply, body: small ?? core.objects.open(bucket, admitted, range) };
}

/** If-None-Match: the client has these very bytes. */
function isKnown(field: string | undefined, digest: DigestName): boolean {
  return field?.split(',').some((tag) => ['*', `"${digest}"`].includes(tag.trim().replace(/^W\//, ''))) === true;
}

function isStillMeant(ifRange: string | undefined, digest: DigestName): boolean {
  return ifRange === undefined || ifRange === `"${digest}"`;
}
