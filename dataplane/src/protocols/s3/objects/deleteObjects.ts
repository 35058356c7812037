/** DeleteObjects: many names in one request, each judged and answered on its own. */
import type { BucketConfig } from '@bonded/crds';
import type { Core, DeleteResult } from '../../../core/core.ts';
import type { Conditions } from '../../../core/object.ts';
import { ArtefactError } from '../../../errors.ts';
import { mapInSlices, startSlices } from '../../../slices.ts';
import type { Call, Demand, Reply } from '../../contract.ts';
import { bucketOf } from '../bucketOf.ts';
import { readXml } from '../body.ts';
import { claimedChecksum, contentMd5 } from '../checksumHeaders.ts';
import { s3ErrorOf } from '../errors.ts';
import type { BucketParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { allowOnly } from '../xml.ts';
import type { XmlElement, XmlFields } from '../xml.ts';
import { parseETags, parseModified, parseSize } from './conditions.ts';
import { versionFact } from './facts.ts';
import { conceal } from './versions.ts';

/** Names in one request. */
export const MAX_DELETES = 1000;
/** Bytes of its document, as S3 has it. */
const MAX_DOCUMENT = 2 * 1024 * 1024;
/** Deletes under way at once: enough to share commits, too few to crowd others out. */
const AT_ONCE = 16;

/** One line of the request. */
interface Deletion {
  readonly key: string;
  readonly versionId?: string;
  readonly conditions: Conditions;
}

/** Deletes what the caller may; the rest is answered as `<Error>` by name. Nothing is hidden by `Quiet` but successes. */
export async function deleteObjects(call: Call<BucketParams>, core: Core): Promise<Reply> {
  requireDigest(call);
  const document = await readXml(call, ['Delete'], MAX_DOCUMENT);
  const deletions = await readDeletions(document);
  const quiet = document.child('Quiet')?.text.trim() === 'true';
  const outcomes = await outcomesOf(call, core, deletions);
  return xmlReply('DeleteResult', {
    Deleted: quiet ? [] : outcomes.flatMap(({ deleted }) => (deleted ? [deleted] : [])),
    Error: outcomes.flatMap(({ error }) => (error ? [error] : [])),
  });
}

/**
 * Each name is judged before any is deleted, in slices, since a policy may be long. Whether there is such a bucket is told only to those
 * who may delete some of the names; the others hear the same of any.
 */
async function outcomesOf(call: Call<BucketParams>, core: Core, deletions: readonly Deletion[]): Promise<readonly Outcome[]> {
  if (!(await mayAny(call, deletions))) {
    return deletions.map((deletion) => ({ error: errorFields(deletion, new ArtefactError('AccessDenied', 'Access Denied')) }));
  }
  const bucket = bucketOf(call);
  const refusals = await mapInSlices(deletions, (deletion) => refusalOf(call, deletion));
  return pooled([...deletions.entries()], async ([index, deletion]) => refusals[index] ?? deleteOne(call, core, bucket, deletion));
}

async function mayAny(call: Call<BucketParams>, deletions: readonly Deletion[]): Promise<boolean> {
  const slices = startSlices();
  for (const deletion of deletions) {
    if (slices.due()) await slices.next();
    if (call.may(demandOf(call, deletion))) return true;
  }
  return false;
}

/** S3 takes no list of deletes whose bytes are not proved: a flipped bit would delete something else. */
function requireDigest({ head }: Call<BucketParams>): void {
  if (contentMd5(head) !== undefined || claimedChecksum(head)) return;
  throw new ArtefactError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
}

/** Reads the lines of a `Delete` document; throws `MalformedBody` for none, or for more than 1,000. */
export async function readDeletions(document: XmlElement): Promise<readonly Deletion[]> {
  allowOnly(document, ['Object', 'Quiet']);
  const objects = document.all('Object');
  if (objects.length === 0 || objects.length > MAX_DELETES) {
    throw new ArtefactError('MalformedBody', `The XML you provided must list between 1 and ${MAX_DELETES} objects to delete.`);
  }
  return mapInSlices(objects, readDeletion);
}

function readDeletion(object: XmlElement): Deletion {
  allowOnly(object, ['Key', 'VersionId', 'ETag', 'LastModifiedTime', 'Size']);
  const key = object.required('Key').text;
  if (key === '') throw new ArtefactError('MalformedBody', 'The XML you provided holds an empty Key.');
  const etag = object.child('ETag')?.text;
  const modified = object.child('LastModifiedTime')?.text;
  const size = object.child('Size')?.text;
  const conditions: Conditions = {
    ifMatch: etag === undefined ? undefined : parseETags('ETag', etag),
    ifMatchModified: modified === undefined ? undefined : parseModified(modified),
    ifMatchSize: size === undefined ? undefined : parseSize(size),
  };
  // SDKs of old send an empty VersionId for "none"
  return { key, versionId: object.child('VersionId')?.text || undefined, conditions };
}

type Outcome = { readonly deleted?: XmlFields; readonly error?: XmlFields };

async function deleteOne(call: Call<BucketParams>, core: Core, bucket: BucketConfig, deletion: Deletion): Promise<Outcome> {
  const { key, versionId, conditions } = deletion;
  try {
    const result = await conceal(call, { bucket, key }, () => core.objects.delete(bucket, key, versionId, conditions, call.actor));
    return { deleted: deletedFields(deletion, result) };
  } catch (error) {
    return { error: errorFields(deletion, refusalIn(error)) };
  }
}

function refusalOf(call: Call<BucketParams>, deletion: Deletion): Outcome | undefined {
  try {
    authoriseDeletion(call, deletion);
    return undefined;
  } catch (error) {
    return { error: errorFields(deletion, refusalIn(error)) };
  }
}

/** An unexpected failure fails the request, so that its cause is logged; repeating the deletes is harmless. */
function refusalIn(error: unknown): ArtefactError {
  if (error instanceof ArtefactError) return error;
  throw error;
}

function errorFields({ key, versionId }: Deletion, error: ArtefactError): XmlFields {
  return { Key: key, VersionId: versionId, Code: s3ErrorOf(error).code, Message: error.message };
}

function demandOf(call: Call<BucketParams>, { key, versionId, conditions }: Deletion): Demand {
  const s3Action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  // what the line says counts, not a header or query that speaks of no single name
  const context = new Map([...versionFact(versionId), ['s3:if-match', conditions.ifMatch ?? []]]);
  return { action: 'delete', s3Action, resource: { bucket: call.params.bucket, name: key }, context };
}

function authoriseDeletion(call: Call<BucketParams>, deletion: Deletion): void {
  const { key, conditions } = deletion;
  const demand = demandOf(call, deletion);
  call.authorise(demand);
  if (asksForContent(conditions)) call.authorise({ action: 'read', s3Action: 's3:GetObject', resource: demand.resource });
  if (Buffer.byteLength(key) > 1024) throw new ArtefactError('NameTooLong', 'Your key is too long');
}

/** True when the outcome of a delete under these conditions tells what the name holds: S3 then asks for the right to read too. */
export function asksForContent({ ifMatch, ifMatchModified, ifMatchSize }: Conditions): boolean {
  return ifMatchModified !== undefined || ifMatchSize !== undefined || (ifMatch !== undefined && !ifMatch.includes('*'));
}

function deletedFields({ key, versionId }: Deletion, result: DeleteResult): XmlFields {
  const marker = result.deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: result.versionId } : {};
  return { Key: key, VersionId: versionId, ...marker };
}

/** Maps in order of the input with at most `AT_ONCE` under way; the first failure stops what has not begun. */
async function pooled<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<readonly Out[]> {
  const results = new Array<Out>(items.length);
  // a generator, since leaving one loop by an error ends it for the other workers
  const queue = (function* () {
    yield* items.entries();
  })();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
