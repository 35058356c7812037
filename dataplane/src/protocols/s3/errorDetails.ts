/** The extra elements and headers that S3 gives with an error, out of `details` of the error and the path of the request. */
import type { ArtefactError, ErrorCode, ErrorDetails } from '../../errors.ts';
import type { XmlFields } from './xml.ts';

/** What a request is about, as far as its path tells. */
export interface ErrorSubject {
  readonly requestId: string;
  readonly method: string;
  readonly bucket?: string;
  readonly key?: string;
}

/** Details that are shown, by the element that S3 shows them in. What is not listed here never leaves the house. */
const ELEMENTS: Readonly<Record<string, string>> = {
  argumentName: 'ArgumentName',
  argumentValue: 'ArgumentValue',
  method: 'Method',
  resourceType: 'ResourceType',
  bucket: 'BucketName',
  key: 'Key',
  versionId: 'VersionId',
  uploadId: 'UploadId',
  partNumber: 'PartNumber',
  etag: 'ETag',
  condition: 'Condition',
  header: 'Header',
  rangeRequested: 'RangeRequested',
  actualObjectSize: 'ActualObjectSize',
  partNumberRequested: 'PartNumberRequested',
  actualPartCount: 'ActualPartCount',
  proposedSize: 'ProposedSize',
  minSizeAllowed: 'MinSizeAllowed',
  maxSizeAllowed: 'MaxSizeAllowed',
  maxSize: 'MaxSizeAllowed',
  size: 'Size',
  tagKey: 'TagKey',
  tagValue: 'TagValue',
  detail: 'Detail',
  locationConstraint: 'LocationConstraint',
  region: 'Region',
  expectedDigest: 'ExpectedDigest',
  calculatedDigest: 'CalculatedDigest',
  clientComputedContentSHA256: 'ClientComputedContentSHA256',
  s3ComputedContentSHA256: 'S3ComputedContentSHA256',
  accessKeyId: 'AWSAccessKeyId',
  stringToSign: 'StringToSign',
  signatureProvided: 'SignatureProvided',
  canonicalRequest: 'CanonicalRequest',
  headersNotSigned: 'HeadersNotSigned',
  requestTime: 'RequestTime',
  serverTime: 'ServerTime',
  maxAllowedSkewMilliseconds: 'MaxAllowedSkewMilliseconds',
  expires: 'Expires',
  'X-Amz-Expires': 'X-Amz-Expires',
};

/** Elements that are shown a second time as bytes. */
const SIGNED_TEXTS: ReadonlySet<string> = new Set(['StringToSign', 'CanonicalRequest']);

/** What the path of the request adds to an error of this code. */
const ABOUT_BUCKET: ReadonlySet<ErrorCode> = new Set([
  'BucketUnknown',
  'BucketTaken',
  'BucketOwned',
  'BucketNotEmpty',
  'SettingUnset',
  'InvalidBucketName',
]);
const ABOUT_KEY: ReadonlySet<ErrorCode> = new Set(['NameUnknown', 'VersionUnknown', 'DeleteMarkerFound']);

/** Elements between Message and RequestId. */
export function detailElements(error: ArtefactError, subject: ErrorSubject): XmlFields {
  const { details, code } = error;
  if (code === 'Internal') return { Resource: resourceOf(subject) };
  if (code === 'DeleteMarkerFound' && details.byVersionId === true) {
    return { Method: subject.method, ResourceType: 'DeleteMarker', Key: subject.key, VersionId: details.versionId };
  }
  return { ...pathElements(code, subject), ...listedDetails(details), Resource: resourceOf(subject) };
}

function pathElements(code: ErrorCode, { bucket, key, method }: ErrorSubject): XmlFields {
  if (ABOUT_BUCKET.has(code)) return { BucketName: bucket };
  if (ABOUT_KEY.has(code)) return { Key: key };
  return code === 'MethodNotAllowed' ? { Method: method } : {};
}

function listedDetails(details: ErrorDetails): XmlFields {
  const fields: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(details)) {
    const element = ELEMENTS[name];
    if (element === undefined) continue;
    fields[element] = value;
    if (SIGNED_TEXTS.has(element)) fields[`${element}Bytes`] = spacedHex(String(value));
  }
  return fields;
}

/** Headers that clients read beside the body. */
export function detailHeaders(error: ArtefactError, status: number): Record<string, string> {
  const { details, code } = error;
  const headers: Record<string, string> = {};
  const set = (header: string, value: Detail): void => {
    if (value !== undefined) headers[header] = String(value);
  };
  if (code === 'DeleteMarkerFound') {
    headers['x-amz-delete-marker'] = 'true';
    set('x-amz-version-id', details.versionId);
    set('last-modified', httpDate(details.lastModified));
    if (status === 405) headers.allow = 'DELETE';
  }
  if (code === 'MethodNotAllowed') set('allow', details.allow);
  if (status === 416 && details.actualObjectSize !== undefined) headers['content-range'] = `bytes */${details.actualObjectSize}`;
  if (status === 503) set('retry-after', details.retryAfter ?? 1);
  if (code === 'NotModified') {
    // RFC 9110 §15.4.5: what a 200 would have said of these
    set('etag', quoted(details.etag));
    set('last-modified', httpDate(details.lastModified));
    set('cache-control', details.cacheControl);
    set('expires', details.expires);
    set('vary', details.vary);
    set('x-amz-version-id', details.versionId);
  }
  return headers;
}

type Detail = ErrorDetails[string] | undefined;

function quoted(etag: Detail): Detail {
  return typeof etag === 'string' && !etag.endsWith('"') ? `"${etag}"` : etag;
}

/** Ms since the epoch become an HTTP date; text is one already. */
function httpDate(moment: Detail): Detail {
  return typeof moment === 'number' ? new Date(moment).toUTCString() : moment;
}

/** As S3 shows signed text once more, so that white space in it can be seen: `41 57 53`. */
function spacedHex(text: string): string {
  return Buffer.from(text)
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');
}

function resourceOf({ bucket, key }: ErrorSubject): string {
  if (bucket === undefined) return '/';
  return key === undefined ? `/${bucket}` : `/${bucket}/${key}`;
}
