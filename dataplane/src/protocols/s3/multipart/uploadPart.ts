/** UploadPart and UploadPartCopy. */
import type { Core, Expected, UploadedPart } from '../../../core/core.ts';
import { asDamage, ownSha256 } from '../../../core/quarantine.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { refuseUnbuilt } from '../objects/attributes.ts';
import { openCopySource, sourceVersionHeaders } from '../objects/copyFrom.ts';
import type { OpenSource } from '../objects/copyFrom.ts';
import { requestFields } from '../objects/headerText.ts';
import type { Fields } from '../objects/headerText.ts';
import { readExpected } from '../objects/integrity.ts';
import { parseCopyRange } from '../objects/ranges.ts';
import { MAX_PART, refuseTooLarge } from '../objects/receiving.ts';
import { isoTime, quoted } from '../objects/representation.ts';
import { answerInTime } from '../objects/slowAnswer.ts';
import type { Answer } from '../objects/slowAnswer.ts';
import type { ObjectParams } from '../operation.ts';
import { emptyReply } from '../replies.ts';
import { findPartPlace, partAlgorithm, requireAlgorithm, storePart } from './part.ts';
import type { PartPlace } from './part.ts';

/** Stores (or replaces) one part: all of it, checked, or nothing. */
export async function uploadPart(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  refuseUnbuilt(requestFields(call.head));
  const place = await findPartPlace(call, core);
  const expected = { ...readExpected(call.head, call.payload, partAlgorithm(place.session)), maxSize: MAX_PART };
  requireAlgorithm(place.session, expected);
  refuseTooLarge(expected.size, MAX_PART);
  const part = await storePart(core, place, call.payload.bytes, expected);
  const algorithm = expected.checksum?.algorithm ?? partAlgorithm(place.session);
  const checksum = part.checksums[algorithm];
  return emptyReply({
    etag: quoted(part.etag),
    ...(checksum === undefined ? {} : { [`x-amz-checksum-${algorithm.toLowerCase()}`]: checksum }),
  });
}

/** Stores a part out of (a range of) another object: the bytes go from storage to storage. */
export async function uploadPartCopy(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const fields = requestFields(call.head);
  refuseUnbuilt(fields);
  const place = await findPartPlace(call, core);
  const source = await openCopySource(call, core, fields);
  return answerInTime(call, copyPart(core, place, source, fields));
}

async function copyPart(core: Core, place: PartPlace, source: OpenSource, fields: Fields): Promise<Answer> {
  const field = fields['x-amz-copy-source-range'];
  const range = field === undefined ? undefined : parseCopyRange(field, source.version.size);
  const size = range?.length ?? source.version.size;
  if (size > MAX_PART) {
    throw new ArtefactError(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PART}`,
    );
  }
  const algorithm = partAlgorithm(place.session);
  const bytes = core.objects.open(source.bucket, source.admitted, range);
  const expected = { size, checksum: { algorithm }, ...wholeDigest(source, size) };
  const part = await storePart(core, place, bytes, expected).catch(asDamage(source.version.digest));
  return { root: 'CopyPartResult', content: copyPartResult(part, algorithm), headers: sourceVersionHeaders(source) };
}

/** All of an artefact has a digest to be compared with: a part must not make bytes right that have rotted. Ranges of one have none. */
function wholeDigest({ version: { digest, size } }: OpenSource, copied: number): Pick<Expected, 'sha256'> {
  return copied === size ? { sha256: ownSha256(digest) } : {};
}

function copyPartResult(part: UploadedPart, algorithm: ReturnType<typeof partAlgorithm>): Answer['content'] {
  return {
    LastModified: isoTime(part.modified),
    ETag: quoted(part.etag),
    [`Checksum${algorithm}`]: part.checksums[algorithm],
  };
}
