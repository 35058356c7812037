/** PostObject: a browser's form becomes an object. */
import type { Snapshot } from '@bonded/crds';
import { joinContexts } from '../../../authz/requestContext.ts';
import type { PostAuthenticated, PostForm } from '../../../authn/postPolicy.ts';
import type { Core, Expected } from '../../../core/core.ts';
import type { ObjectAttributes } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import type { Call, Reply } from '../../contract.ts';
import { refuseGrants } from '../acl.ts';
import { bucketOf } from '../bucketOf.ts';
import { claimedChecksum, contentMd5 } from '../checksumHeaders.ts';
import { readAttributes } from '../objects/attributes.ts';
import { readChecksumAlgorithm } from '../objects/checksumChoice.ts';
import { writeFacts } from '../objects/facts.ts';
import { headOf, toField } from '../objects/headerText.ts';
import type { Fields } from '../objects/headerText.ts';
import { DEFAULT_CHECKSUM } from '../objects/integrity.ts';
import { MAX_OBJECT, storeObject } from '../objects/receiving.ts';
import { authoriseTags } from '../objects/tags.ts';
import { permitWrite } from '../../writing.ts';
import type { BucketParams } from '../operation.ts';
import { parseTagging } from '../tagging.ts';
import { parseXml } from '../xml.ts';
import { postReply } from './answer.ts';
import { fieldMissing } from './faults.ts';
import { readForm } from './formData.ts';
import type { Form } from './formData.ts';

/** Tells who a form speaks for and what its policy demands; throws when the form breaks it. */
export type VerifyForm = (form: PostForm, snapshot: Snapshot) => PostAuthenticated;

/** Stores the file of a form, as whoever signed its policy; a form without policy and signature is anonymous. */
export async function postObject(call: Call<BucketParams>, core: Core, verify: VerifyForm): Promise<Reply> {
  const form = await readForm(call.head.headers['content-type'] ?? '', call.payload.bytes);
  try {
    return await storeForm(call, core, form, verify);
  } finally {
    form.abandon();
  }
}

async function storeForm(call: Call<BucketParams>, core: Core, form: Form, verify: VerifyForm): Promise<Reply> {
  const key = keyOf(form);
  const verified = verify({ bucket: call.params.bucket, fields: new Map([...form.fields, ['key', key]]) }, call.snapshot);
  call.become(verified.principal);
  const resource = { bucket: call.params.bucket, name: key };
  const fields = headersOf(form);
  const attributes = attributesOf(form, fields);
  const facts = joinContexts(writeFacts(call.head, fields, Object.entries(attributes.tags)), verified.conditions);
  call.authorise({ action: 'create', s3Action: 's3:PutObject', resource, context: facts });
  const subject = { bucket: bucketOf(call), key };
  refuseGrants(headOf(call.head, fields));
  authoriseTags(call, resource, attributes.tags);
  const permit = await permitWrite(call, core, { subject, conditions: {}, facts });
  const expected = expectedOf(call, fields, verified.contentLengthRange);
  const { version } = await storeObject(call, core, { permit, bytes: form.bytes, expected, attributes });
  return postReply(call.head, form.fields, subject, version);
}

/** The `key` field, with the file's name in it where it asks for that. Throws `InvalidArgument`, `NameTooLong`, and S3's UserKeyMustBeSpecified. */
function keyOf(form: Form): string {
  const template = form.fields.get('key');
  if (template === undefined || template === '') throw fieldMissing('key');
  const key = template.replaceAll('${filename}', () => form.filename);
  if (key === '' || key.includes('\0') || !key.isWellFormed()) {
    throw new ArtefactError('InvalidArgument', 'The bucket POST must contain a key that names something.', {
      details: { s3Code: 'UserKeyMustBeSpecified' },
    });
  }
  if (Buffer.byteLength(key) > 1024) throw new ArtefactError('NameTooLong', 'Your key is too long');
  return key;
}

const CONTENT_FIELDS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'expires',
]);

/** The fields that stand for headers of a PUT. */
function headersOf(form: Form): Fields {
  const headers: Record<string, string> = {};
  for (const [name, value] of form.fields) {
    if (name === 'acl') headers['x-amz-acl'] = value;
    else if (name.startsWith('x-amz-') || CONTENT_FIELDS.has(name)) headers[name] = toField(value);
  }
  return headers;
}

/** A form has its tags as a document, where a PUT has them in a header. */
function attributesOf(form: Form, fields: Fields): ObjectAttributes {
  const attributes = readAttributes(fields);
  const tagging = form.fields.get('tagging');
  if (tagging === undefined) return attributes;
  return { ...attributes, tags: parseTagging(parseXml(Buffer.from(tagging), ['Tagging']), 'object') };
}

function expectedOf(call: Call<BucketParams>, fields: Fields, range: PostAuthenticated['contentLengthRange']): Expected {
  const head = headOf(call.head, fields);
  const algorithm = readChecksumAlgorithm(fields) ?? DEFAULT_CHECKSUM;
  return {
    md5: contentMd5(head),
    checksum: claimedChecksum(head) ?? { algorithm },
    minSize: range?.min,
    maxSize: Math.min(range?.max ?? MAX_OBJECT, MAX_OBJECT),
  };
}
