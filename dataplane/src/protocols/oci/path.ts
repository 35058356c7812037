/** Paths below `/v2`: the end of a path says what it is, since repositories may be called anything. */
import { ArtefactError, isError } from '../../errors.ts';
import { decodePath } from '../namePath.ts';
import { readRepository } from './names.ts';
import type { Repository } from './names.ts';

export type Place =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | (Repository & { readonly kind: 'tags' })
  | (Repository & { readonly kind: 'uploads' })
  | (Repository & { readonly kind: 'upload'; readonly uploadId: string })
  | (Repository & { readonly kind: 'blob' | 'referrers'; readonly digest: string })
  | (Repository & { readonly kind: 'manifest'; readonly reference: string });

const ROOT = '/v2';
const TAGS = /^(.+)\/tags\/list$/;
const UPLOADS = /^(.+)\/blobs\/uploads\/?$/;
const UPLOAD = /^(.+)\/blobs\/uploads\/([^/]+)$/;
const NAMED = /^(.+)\/(manifests|blobs|referrers)\/([^/]+)$/;

/** Throws `RouteUnknown`, `MalformedUri`, `InvalidArgument` for a bad name, `NameUnknown` for a bucket without a repository. */
export function readPath(rawPath: string): Place {
  if (/%2f|%5c/i.test(rawPath)) throw new ArtefactError('MalformedUri', 'A slash of a name is written as one.');
  const path = decodePath(rawPath.slice(ROOT.length));
  if (path === '' || path === '/') return { kind: 'base' };
  const rest = path.slice(1);
  if (rest === '_catalog') return { kind: 'catalog' };
  const tags = TAGS.exec(rest);
  if (tags) return { kind: 'tags', ...readRepository(tags[1]!) };
  const uploads = UPLOADS.exec(rest);
  if (uploads) return { kind: 'uploads', ...readRepository(uploads[1]!) };
  const upload = UPLOAD.exec(rest);
  if (upload) return { kind: 'upload', ...readRepository(upload[1]!), uploadId: upload[2]! };
  return readNamed(rest);
}

function readNamed(rest: string): Place {
  const [, name, kind, last] = NAMED.exec(rest) ?? [];
  if (name === undefined || last === undefined) throw new ArtefactError('RouteUnknown', 'There is nothing at this path of the registry.');
  const repository = readRepository(name);
  if (kind === 'manifests') return { kind: 'manifest', ...repository, reference: last };
  return { kind: kind === 'blobs' ? 'blob' : 'referrers', ...repository, digest: last };
}

/** The same, where it is one. */
export function placeOf(rawPath: string): Place | undefined {
  try {
    return readPath(rawPath);
  } catch (error) {
    if (isError(error, 'RouteUnknown', 'MalformedUri', 'InvalidArgument', 'NameUnknown')) return undefined;
    throw error;
  }
}

/** The path of something in a repository. Relative to the host, so that it holds behind any proxy. */
export function pathOf({ bucket, repository }: Repository, rest: string): string {
  return `${ROOT}/${bucket}/${repository}/${rest}`;
}
