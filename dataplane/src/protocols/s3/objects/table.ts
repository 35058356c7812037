/** The rows at `/{bucket}/{key}` that are not about uploads, and DeleteObjects. Changing tags of what is there is overwriting. */
import { bucketRow, objectRow } from '../operation.ts';
import type { Row } from '../operation.ts';
import { copyObject } from './copyObject.ts';
import { deleteObject } from './deleteObject.ts';
import { deleteObjects } from './deleteObjects.ts';
import { copyFacts, putFacts } from './facts.ts';
import { getObject, headObject } from './getObject.ts';
import { getAcl, putAcl } from './objectAcl.ts';
import { attributesDemands, getObjectAttributes } from './objectAttributes.ts';
import { putObject } from './putObject.ts';
import { deleteTagging, getTagging, putTagging } from './tags.ts';
import { byVersion } from './versions.ts';
import { creation } from './writing.ts';

const readObject = { action: 'read', s3Action: byVersion('s3:GetObject', 's3:GetObjectVersion') } as const;
const readTags = { action: 'read', s3Action: byVersion('s3:GetObjectTagging', 's3:GetObjectVersionTagging') } as const;
const removeTags = { action: 'overwrite', s3Action: byVersion('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging') } as const;
const readAcl = { action: 'read', s3Action: byVersion('s3:GetObjectAcl', 's3:GetObjectVersionAcl') } as const;
const writeAcl = { action: 'overwrite', s3Action: byVersion('s3:PutObjectAcl', 's3:PutObjectVersionAcl') } as const;
const remove = { action: 'delete', s3Action: byVersion('s3:DeleteObject', 's3:DeleteObjectVersion') } as const;

/** Every operation on objects but multipart uploads and forms. */
export const objectRows: readonly Row[] = [
  objectRow({ name: 's3.GetObject', method: 'GET', ...readObject, handle: getObject }),
  objectRow({ name: 's3.HeadObject', method: 'HEAD', ...readObject, handle: headObject }),
  objectRow({
    name: 's3.GetObjectAttributes',
    method: 'GET',
    subresource: 'attributes',
    demands: attributesDemands,
    handle: getObjectAttributes,
  }),

  objectRow({ name: 's3.PutObject', method: 'PUT', demands: creation(putFacts), handle: putObject }),
  objectRow({ name: 's3.CopyObject', method: 'PUT', header: 'x-amz-copy-source', demands: creation(copyFacts), handle: copyObject }),

  objectRow({ name: 's3.DeleteObject', method: 'DELETE', ...remove, handle: deleteObject }),
  // each key of the body is authorised on its own, and a refusal is part of the answer
  bucketRow({ name: 's3.DeleteObjects', method: 'POST', subresource: 'delete', demands: () => [], handle: deleteObjects }),

  objectRow({ name: 's3.GetObjectTagging', method: 'GET', subresource: 'tagging', ...readTags, handle: getTagging }),
  // policies judge by the tags of the body, so the handler asks when it knows them
  objectRow({ name: 's3.PutObjectTagging', method: 'PUT', subresource: 'tagging', demands: () => [], handle: putTagging }),
  objectRow({ name: 's3.DeleteObjectTagging', method: 'DELETE', subresource: 'tagging', ...removeTags, handle: deleteTagging }),

  objectRow({ name: 's3.GetObjectAcl', method: 'GET', subresource: 'acl', ...readAcl, handle: getAcl }),
  objectRow({ name: 's3.PutObjectAcl', method: 'PUT', subresource: 'acl', ...writeAcl, handle: putAcl }),
];
