/** The rows of multipart uploads. Whoever may create a name may send its parts; only the completion changes the name. */
import { bucketRow, objectRow } from '../operation.ts';
import type { Row } from '../operation.ts';
import { listDemand } from '../listing/query.ts';
import { copyFacts, putFacts } from '../objects/facts.ts';
import { creation } from '../objects/writing.ts';
import { abortUpload, completeUpload } from './completeUpload.ts';
import { createUpload } from './createUpload.ts';
import { listParts, listUploads } from './lists.ts';
import { uploadPart, uploadPartCopy } from './uploadPart.ts';

const create = { action: 'create', s3Action: 's3:PutObject' } as const;
const part = { method: 'PUT', subresource: 'uploadId', query: ['partNumber'] } as const;

/** Every operation of multipart uploads. */
export const multipartRows: readonly Row[] = [
  objectRow({
    name: 's3.CreateMultipartUpload',
    method: 'POST',
    subresource: 'uploads',
    demands: creation(putFacts),
    handle: createUpload,
  }),
  objectRow({ name: 's3.UploadPart', ...part, ...create, handle: uploadPart }),
  objectRow({
    name: 's3.UploadPartCopy',
    ...part,
    header: 'x-amz-copy-source',
    demands: creation(copyFacts),
    handle: uploadPartCopy,
  }),
  objectRow({ name: 's3.CompleteMultipartUpload', method: 'POST', subresource: 'uploadId', ...create, handle: completeUpload }),
  // another's upload needs `delete`, which the handler asks for when it knows whose it is
  objectRow({
    name: 's3.AbortMultipartUpload',
    method: 'DELETE',
    subresource: 'uploadId',
    action: 'create',
    s3Action: 's3:AbortMultipartUpload',
    handle: abortUpload,
  }),
  objectRow({
    name: 's3.ListParts',
    method: 'GET',
    subresource: 'uploadId',
    action: 'list',
    s3Action: 's3:ListMultipartUploadParts',
    handle: listParts,
  }),
  bucketRow({
    name: 's3.ListMultipartUploads',
    method: 'GET',
    subresource: 'uploads',
    demands: (head, params) => [listDemand(head, params, 's3:ListBucketMultipartUploads')],
    handle: listUploads,
  }),
];
