/** GetObject and HeadObject: one way to an answer, with or without its bytes. */
import type { Core, StoredPart } from '../../../core/core.ts';
import type { Checksum, ObjectVersion } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes, ByteRange } from '../../../storage/contract.ts';
import type { Call, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import type { ObjectParams } from '../operation.ts';
import { queryValue } from '../head.ts';
import { refuseUnbuilt } from './attributes.ts';
import { judgeRead, rangeStillMeant, READ_CONDITIONS } from './conditions.ts';
import { DEFAULT_CONTENT_TYPE } from './contentHeaders.ts';
import type { Fields } from './headerText.ts';
import { requestFields, toField } from './headerText.ts';
import { multiRange, severalRanges } from './multiRange.ts';
import type { MultiRange } from './multiRange.ts';
import { responseOverrides } from './overrides.ts';
import { contentRange, parsePartNumber, parseRange, partNotThere, resolveRange } from './ranges.ts';
import { redirect } from './redirect.ts';
import { checksumHeaders, objectHeaders, quoted } from './representation.ts';
import { findObject, resourceOf, versionIdOf } from './versions.ts';
import type { Subject } from './versions.ts';

type ObjectCall = Call<ObjectParams>;

/** The bytes, once the door lets them out. */
export async function getObject(call: ObjectCall, core: Core): Promise<Reply> {
  const { reply, version, selection, subject } = await describe(call, core);
  const admitted = await call.admit({ digest: version.digest, resource: resourceOf(subject) });
  const elsewhere = await redirect(call, core, { subject, version, admitted });
  if (elsewhere) return elsewhere;
  const whole = selection.several ? undefined : await core.objects.small(subject.bucket, admitted, selection.range);
  if (whole) return { ...reply, body: whole };
  // The first bytes of an answer of several ranges are none of the object's.
  if (selection.several) await core.objects.checkSound(subject.bucket, version);
  const read = (range?: ByteRange): Bytes => core.objects.open(subject.bucket, admitted, range);
  return { ...reply, body: selection.several?.body(read) ?? read(selection.range) };
}

/** The same headers. No byte leaves, so the door is not asked: uploaders look at what they stored while it still waits for its papers. */
export async function headObject(call: ObjectCall, core: Core): Promise<Reply> {
  const { reply, version, subject } = await describe(call, core);
  await core.objects.checkSound(subject.bucket, version);
  return reply;
}

/** Which bytes of the version are meant; no range: all, as 200. */
interface Selection {
  readonly range?: ByteRange;
  /** Several ranges, as an answer of parts. */
  readonly several?: MultiRange;
  readonly part?: StoredPart;
  readonly partCount?: number;
}

async function describe(call: ObjectCall, core: Core) {
  const subject: Subject = { bucket: bucketOf(call), key: call.params.key };
  const fields = requestFields(call.head);
  refuseUnbuilt(fields);
  const overrides = responseOverrides(call);
  const version = await findObject(call, core, subject, versionIdOf(call.head));
  if (judgeRead(fields, READ_CONDITIONS, version) === 'unchanged') throw notModified(version, subject);
  const selection = await select(call, core, subject, version);
  const { range } = selection;
  const headers = {
    ...objectHeaders(subject.bucket, version, overrides),
    ...tagCount(call, version),
    ...selectionHeaders(selection, version),
    ...(wantsChecksum(fields) && !selection.several ? checksumHeaders(checksumOf(selection, version)) : {}),
  };
  const reply: Reply = { status: range || selection.several ? 206 : 200, headers };
  return { reply, version, selection, subject };
}

async function select(call: ObjectCall, core: Core, subject: Subject, version: ObjectVersion): Promise<Selection> {
  const field = call.head.headers.range;
  const partNumber = queryValue(call.head, 'partNumber');
  if (partNumber !== undefined) {
    if (field !== undefined) throw new ArtefactError('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
    return selectPart(core, subject, version, parsePartNumber(partNumber));
  }
  if (field === undefined || !rangeStillMeant(call.head.headers['if-range'], version)) return {};
  const several = severalRanges(field, version.size);
  if (several === undefined) return { range: resolveRange(parseRange(field), version.size, field) };
  if (several.length === 1) return { range: several[0]! };
  const { contentType } = { ...version.headers, ...responseOverrides(call) };
  return { several: multiRange(several, version.size, toField(contentType ?? DEFAULT_CONTENT_TYPE)) };
}

/** A part's bytes; what was put at once is part 1 of itself. */
async function selectPart(core: Core, { bucket }: Subject, version: ObjectVersion, number: number): Promise<Selection> {
  const parts = await core.objects.parts(bucket, version);
  if (!parts) {
    if (number !== 1) throw partNotThere(number, 1);
    return version.size === 0 ? {} : { range: { offset: 0, length: version.size } };
  }
  const part = parts[number - 1];
  if (!part) throw partNotThere(number, parts.length);
  const offset = parts.slice(0, number - 1).reduce((sum, { size }) => sum + size, 0);
  const range = part.size === 0 ? undefined : { offset, length: part.size };
  return { range, part, partCount: parts.length };
}

function selectionHeaders({ range, several, partCount }: Selection, version: ObjectVersion): Readonly<Record<string, string>> {
  if (several) return several.headers;
  const headers: Record<string, string> = { 'content-length': String(range ? range.length : version.size) };
  if (range) headers['content-range'] = contentRange(range, version.size);
  if (partCount !== undefined) headers['x-amz-mp-parts-count'] = String(partCount);
  return headers;
}

/** The checksum of what is sent: of the whole or of a part. There is none of an arbitrary range. */
function checksumOf({ range, part }: Selection, version: ObjectVersion): Checksum | undefined {
  if (!range || (!part && range.length === version.size)) return version.checksum;
  const { algorithm, type } = version.checksum ?? {};
  const value = algorithm === undefined ? undefined : part?.checksums[algorithm];
  return algorithm === undefined || type === undefined || value === undefined ? undefined : { algorithm, type, value };
}

function wantsChecksum(fields: Fields): boolean {
  return fields['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
}

function tagCount(call: ObjectCall, version: ObjectVersion): Record<string, string> {
  const count = Object.keys(version.tags).length;
  if (count === 0) return {};
  const s3Action = versionIdOf(call.head) === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging';
  const resource = { bucket: call.params.bucket, name: call.params.key };
  return call.may({ action: 'read', s3Action, resource }) ? { 'x-amz-tagging-count': String(count) } : {};
}

/** RFC 9110 §15.4.5: a 304 repeats what caches go by. */
function notModified(version: ObjectVersion, { bucket }: Subject): ArtefactError {
  const { cacheControl, expires } = version.headers;
  return new ArtefactError('NotModified', 'Not Modified', {
    details: {
      etag: quoted(version.etag),
      lastModified: new Date(version.modified).toUTCString(),
      ...(cacheControl === undefined ? {} : { cacheControl: toField(cacheControl) }),
      ...(expires === undefined ? {} : { expires: toField(expires) }),
      ...(bucket.versioning === 'Disabled' ? {} : { versionId: version.versionId }),
    },
  });
}
