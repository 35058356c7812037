/** Bucket versioning: read, enabled, suspended. */
import type { Core } from '../../../core/core.ts';
import type { Call, Reply } from '../../contract.ts';
import { readXml } from '../body.ts';
import { bucketOf } from '../bucketOf.ts';
import { notImplemented, s3Error } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { emptyReply, xmlReply } from '../replies.ts';
import { allowOnly, malformedXml } from '../xml.ts';

const MAX_VERSIONING_BYTES = 16 * 1024;

/** Without a Status while versioning was never enabled, as S3 has it. */
export async function getVersioning(call: Call<BucketParams>): Promise<Reply> {
  const { versioning } = bucketOf(call);
  return xmlReply('VersioningConfiguration', { Status: versioning === 'Disabled' ? undefined : versioning });
}

/** MFA delete is refused: nobody here could present the second factor. */
export async function putVersioning(call: Call<BucketParams>, core: Core): Promise<Reply> {
  const bucket = bucketOf(call);
  if (call.head.headers['x-amz-mfa'] !== undefined) throw notImplemented('x-amz-mfa');
  const document = await readXml(call, ['VersioningConfiguration'], MAX_VERSIONING_BYTES);
  allowOnly(document, ['Status', 'MfaDelete']);
  if ((document.child('MfaDelete')?.text ?? 'Disabled') !== 'Disabled') throw notImplemented('MfaDelete');
  const status = document.child('Status')?.text;
  if (status === undefined) {
    throw s3Error('InvalidRequest', 'IllegalVersioningConfigurationException', 'The Versioning element must be specified');
  }
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml('Status must be Enabled or Suspended.');
  await core.configuration.updateBucket(bucket, { versioning: status }, call.actor);
  return emptyReply();
}
