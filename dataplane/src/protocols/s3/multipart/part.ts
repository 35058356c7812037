/** A part on its way: whose upload it is for, and what its bytes must turn out to be. */
import type { Core, Expected, UploadedPart, UploadSession } from '../../../core/core.ts';
import type { ChecksumAlgorithm } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes } from '../../../storage/contract.ts';
import type { Call } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { queryValue } from '../head.ts';
import { DEFAULT_CHECKSUM } from '../objects/integrity.ts';
import { parsePartNumber } from '../objects/ranges.ts';
import type { Subject } from '../objects/versions.ts';
import type { ObjectParams } from '../operation.ts';

/** An upload that is open, and the part of it that a request is about. */
export interface PartPlace {
  readonly subject: Subject;
  readonly session: UploadSession;
  readonly number: number;
}

/** Reads `partNumber` and `uploadId`; throws `InvalidArgument`, `UploadUnknown`. */
export async function findPartPlace(call: Call<ObjectParams>, core: Core): Promise<PartPlace> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const number = parsePartNumber(queryValue(call.head, 'partNumber') ?? '');
  const session = await core.uploads.find(subject.bucket, subject.key, queryValue(call.head, 'uploadId') ?? '');
  return { subject, session, number };
}

/** The algorithm that the upload's parts are reported by. */
export function partAlgorithm(session: UploadSession): ChecksumAlgorithm {
  return session.checksum?.algorithm ?? DEFAULT_CHECKSUM;
}

/**
 * Where the whole is checked by the checksums of its parts, each part must have the upload's algorithm. Where the whole is checked
 * by its own bytes, a part may be sent with any.
 */
export function requireAlgorithm(session: UploadSession, expected: Expected): void {
  const wanted = partAlgorithm(session);
  const given = expected.checksum?.algorithm ?? wanted;
  if (given === wanted || session.checksum?.type !== 'COMPOSITE') return;
  throw new ArtefactError(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${given.toLowerCase()}`,
  );
}

/** Receives a part and stores it in its place. */
export async function storePart(core: Core, place: PartPlace, bytes: Bytes, expected: Expected): Promise<UploadedPart> {
  const arrived = await core.objects.receive(place.subject.bucket, bytes, expected);
  return core.uploads.putPart(place.subject.bucket, place.session, place.number, arrived);
}
