/** Where uploads are: `/uploads/{bucket}/{key}` makes one, and with `?session=…` it is the upload itself. */
import { ArtefactError } from '../../errors.ts';
import type { RequestHead } from '../contract.ts';
import { bucketPath } from '../namePath.ts';

/** What a request is about. */
export interface UploadParams {
  readonly bucket: string;
  readonly key: string;
  /** Undefined for a request that makes an upload. */
  readonly uploadId?: string;
}

/** The path that this protocol lives under; no bucket has its name. */
export const ROOT = '/uploads';

const SESSION = 'session';

/**
 * Reads the target of a request: under `/uploads`, or, for the resumable uploads of HTTP, `/{bucket}/{key}` itself. Throws
 * `RouteUnknown`, `MalformedUri`, `InvalidBucketName`, `NameTooLong`, `InvalidArgument`.
 */
export function readPlace(head: RequestHead): UploadParams {
  const own = head.rawPath === ROOT || head.rawPath.startsWith(`${ROOT}/`);
  const { bucket, key } = bucketPath(own ? head.rawPath.slice(ROOT.length + 1) : head.rawPath.slice(1));
  if (bucket === undefined || key === undefined) throw new ArtefactError('RouteUnknown', `Uploads are made at ${ROOT}/{bucket}/{key}.`);
  const uploadId = own ? sessionOf(head) : undefined;
  return { bucket, key, ...(uploadId === undefined ? {} : { uploadId }) };
}

function sessionOf({ query }: RequestHead): string | undefined {
  const given = query.filter(([name]) => name === SESSION);
  if (given.length > 1) throw new ArtefactError('InvalidArgument', `Give the parameter ${SESSION} once.`);
  return given[0]?.[1];
}

/** The URL of an upload: a path, so that it holds behind any proxy. */
export function uploadUrl({ bucket, key, uploadId }: Required<UploadParams>): string {
  return `${targetUrl({ bucket, key })}?${SESSION}=${uploadId}`;
}

function targetUrl({ bucket, key }: UploadParams): string {
  return `${ROOT}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** The URL of the object that an upload becomes. */
export function objectUrl({ bucket, key }: UploadParams): string {
  return `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}
