/** The registry (distribution-spec 1.1, and what its main branch has added since): its table, its recognition, its errors. */
import type { Core } from '../../core/core.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Operation, Protocol, Recognised, Reply, RequestHead } from '../contract.ts';
import { deleteBlob, getBlob } from './blobs/blob.ts';
import { appendChunk, cancelUpload, closeUpload, startUpload, uploadStatus } from './blobs/upload.ts';
import { creating, deleting, reading, requireCredentials } from './call.ts';
import { renderOciError } from './errors.ts';
import { listReferrers, listRepositories, listTags } from './lists/lists.ts';
import type { CatalogueDeps } from './lists/lists.ts';
import { deleteManifest, getManifest } from './manifests/manifest.ts';
import { putManifest } from './manifests/put.ts';
import type { Repository } from './names.ts';
import { readPath } from './path.ts';
import type { Place } from './path.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each row ties its own parameter type
type Row = Operation<any>;

function row<Params extends Repository>(
  name: string,
  handle: (call: Call<Params>, core: Core) => Promise<Reply>,
  demands: Operation<Repository>['demands'],
): Operation<Params> {
  return { name: `oci.${name}`, authenticates: 'request', demands, handle };
}

const NOTHING = (): readonly [] => [];

const BASE: Row = { name: 'oci.Base', authenticates: 'request', demands: NOTHING, handle: tellVersion };

const GET_BLOB = row('GetBlob', getBlob, reading);
const GET_MANIFEST = row('GetManifest', getManifest, reading);
const TAGS = row('ListTags', listTags, reading);
const REFERRERS = row('ListReferrers', listReferrers, reading);

type Table = Readonly<Record<Place['kind'], Readonly<Record<string, Row>>>>;

const TABLE: Omit<Table, 'catalog'> = {
  base: { GET: BASE, HEAD: BASE },
  tags: { GET: TAGS },
  referrers: { GET: REFERRERS },
  manifest: {
    GET: GET_MANIFEST,
    HEAD: GET_MANIFEST,
    PUT: row('PutManifest', putManifest, creating),
    DELETE: row('DeleteManifest', deleteManifest, deleting),
  },
  blob: { GET: GET_BLOB, HEAD: GET_BLOB, DELETE: row('DeleteBlob', deleteBlob, deleting) },
  uploads: { POST: row('StartBlobUpload', startUpload, creating) },
  upload: {
    GET: row('GetBlobUpload', uploadStatus, creating),
    PATCH: row('AppendBlobUpload', appendChunk, creating),
    PUT: row('CloseBlobUpload', closeUpload, creating),
    DELETE: row('CancelBlobUpload', cancelUpload, creating),
  },
};

/** What each kind of place takes, by method. */
export function ociTable(deps: CatalogueDeps): Table {
  const handle: Row['handle'] = (call, core) => listRepositories(call, core, deps);
  return { ...TABLE, catalog: { GET: { name: 'oci.ListRepositories', authenticates: 'request', demands: NOTHING, handle } } };
}

/** `/v2/…`. No bucket can be called `v2`. */
export function createOciProtocol(deps: CatalogueDeps): Protocol {
  const table = ociTable(deps);
  return {
    name: 'oci',
    takesLimited: true,
    recognise: (head) => recognise(head, table),
    renderError: renderOciError,
    decorate: () => ({ 'docker-distribution-api-version': 'registry/2.0' }),
  };
}

function recognise(head: RequestHead, table: Table): Recognised<unknown> {
  const params = readPath(head.rawPath);
  const methods = table[params.kind];
  const operation = methods[head.method];
  if (operation !== undefined) return { operation, params };
  const allow = Object.keys(methods).join(', ');
  throw new ArtefactError('MethodNotAllowed', `This path takes ${allow}.`, { details: { allow } });
}

/** end-1: clients ask here whether they must log in, also where everybody may pull; so whoever shows no credentials is asked for some. */
async function tellVersion({ head }: Call<unknown>): Promise<Reply> {
  requireCredentials(head);
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{}\n' };
}
