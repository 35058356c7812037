/** CopyObject: another name for the same bytes. */
import type { Core, PutResult } from '../../../core/core.ts';
import type { ChecksumAlgorithm, ObjectAttributes } from '../../../core/object.ts';
import { asDamage, ownSha256 } from '../../../core/quarantine.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { refuseGrants } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import { invalidArgument } from '../errors.ts';
import type { ObjectParams } from '../operation.ts';
import { readAttributes, readStorageClass, refuseUnbuilt, readTags } from './attributes.ts';
import { readChecksumAlgorithm } from './checksumChoice.ts';
import { readWriteConditions } from './conditions.ts';
import { readContentHeaders } from './contentHeaders.ts';
import { openCopySource, sourceVersionHeaders } from './copyFrom.ts';
import type { OpenSource } from './copyFrom.ts';
import { copyFacts, versionFact } from './facts.ts';
import { headOf, requestFields } from './headerText.ts';
import type { Fields } from './headerText.ts';
import { storeObject } from './receiving.ts';
import { checksumElements, isoTime, quoted, reprDigest, versionHeaders } from './representation.ts';
import { answerInTime } from './slowAnswer.ts';
import type { Answer } from './slowAnswer.ts';
import { authoriseTags } from './tags.ts';
import type { Subject } from './versions.ts';
import { permitWrite, writeUnder } from '../../writing.ts';
import type { WritePermit } from '../../writing.ts';

type Directive = 'COPY' | 'REPLACE';

/** Names the source's bytes anew. No byte is read, unless the locations differ or another checksum is asked for. */
export async function copyObject(call: Call<ObjectParams>, core: Core): Promise<Reply> {
  const subject = { bucket: bucketOf(call), key: call.params.key };
  const fields = requestFields(call.head);
  refuseUnbuilt(fields);
  refuseGrants(headOf(call.head, fields));
  const algorithm = readChecksumAlgorithm(fields);
  const directives = readDirectives(fields);
  const source = await openCopySource(call, core, fields);
  const attributes = copiedAttributes(call, fields, directives, source);
  refuseUnchanged(subject, fields, { directives, algorithm, source, attributes });
  const permit = await permitWrite(call, core, { subject, conditions: readWriteConditions(fields), facts: copyFacts(call.head) });
  return answerInTime(call, copy(call, core, { permit, source, attributes, algorithm }));
}

interface Copy {
  readonly permit: WritePermit;
  readonly source: OpenSource;
  readonly attributes: ObjectAttributes;
  readonly algorithm?: ChecksumAlgorithm;
}

async function copy(call: Call<ObjectParams>, core: Core, wanted: Copy): Promise<Answer> {
  const { source, permit } = wanted;
  const stored = source.version.checksum?.algorithm;
  const byReference = wanted.algorithm === undefined || wanted.algorithm === stored;
  const { version } = byReference ? await nameAgain(call, core, wanted) : await readAgain(call, core, wanted);
  return {
    root: 'CopyObjectResult',
    content: { LastModified: isoTime(version.modified), ETag: quoted(version.etag), ...checksumElements(version.checksum) },
    headers: {
      'repr-digest': reprDigest(version.digest),
      ...versionHeaders(permit.subject.bucket, version.versionId),
      ...sourceVersionHeaders(source),
    },
  };
}

function nameAgain(call: Call<ObjectParams>, core: Core, { permit, source, attributes }: Copy): Promise<PutResult> {
  const from = { bucket: source.bucket, version: source.version };
  return writeUnder(call, core, permit, (conditions) => core.objects.copy(from, permit.subject, attributes, conditions, call.actor));
}

/** A checksum that is not known yet takes reading the bytes once. */
function readAgain(call: Call<ObjectParams>, core: Core, { permit, source, attributes, algorithm }: Copy): Promise<PutResult> {
  const { digest, size } = source.version;
  const expected = { size, sha256: ownSha256(digest), checksum: algorithm && { algorithm } };
  const bytes = core.objects.open(source.bucket, source.admitted);
  return storeObject(call, core, { permit, bytes, expected, attributes }).catch(asDamage(digest));
}

interface Directives {
  readonly metadata: Directive;
  readonly tagging: Directive;
}

function readDirectives(fields: Fields): Directives {
  return { metadata: readDirective(fields, 'x-amz-metadata-directive'), tagging: readDirective(fields, 'x-amz-tagging-directive') };
}

function readDirective(fields: Fields, name: string): Directive {
  const value = fields[name] ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw invalidArgument(name, value.slice(0, 64), `Unknown ${name.includes('tagging') ? 'tagging' : 'metadata'} directive.`);
}

/** Storage class and website redirect are never copied, whatever the directive (CopyObject, "Metadata"). */
function copiedAttributes(call: Call<ObjectParams>, fields: Fields, directives: Directives, source: OpenSource): ObjectAttributes {
  const storageClass = readStorageClass(fields);
  const tags = copiedTags(call, fields, directives, source);
  if (directives.metadata === 'REPLACE') return { ...readAttributes(fields), tags, storageClass };
  const { websiteRedirectLocation } = readContentHeaders(fields);
  const { version } = source;
  return { headers: { ...version.headers, websiteRedirectLocation }, metadata: version.metadata, tags, storageClass };
}

function copiedTags(
  call: Call<ObjectParams>,
  fields: Fields,
  { tagging }: Directives,
  { named, version }: OpenSource,
): ObjectAttributes['tags'] {
  const tags = tagging === 'REPLACE' ? readTags(fields) : version.tags;
  if (tagging === 'COPY' && Object.keys(tags).length > 0) {
    const s3Action = named.versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging';
    call.authorise({
      action: 'read',
      s3Action,
      resource: { bucket: named.bucket, name: named.key },
      context: versionFact(named.versionId),
    });
  }
  authoriseTags(call, { bucket: call.params.bucket, name: call.params.key }, tags);
  return tags;
}

interface Change extends Omit<Copy, 'permit'> {
  readonly directives: Directives;
}

/** S3 refuses a copy of an object onto itself that would change nothing. */
function refuseUnchanged({ bucket, key }: Subject, fields: Fields, change: Change): void {
  const { named } = change.source;
  const ontoItself = named.bucket === bucket.name && named.key === key && named.versionId === undefined;
  if (!ontoItself || changesSomething(fields, change)) return;
  throw new ArtefactError(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

function changesSomething(fields: Fields, { source, algorithm, attributes, directives }: Change): boolean {
  const { version } = source;
  return (
    directives.metadata === 'REPLACE' ||
    directives.tagging === 'REPLACE' ||
    fields['x-amz-website-redirect-location'] !== undefined ||
    attributes.storageClass !== version.storageClass ||
    (algorithm !== undefined && algorithm !== version.checksum?.algorithm)
  );
}
