/**
 * The query parameters that make a request mean something else than the plain operation of its path. A request with one of
 * them never falls through to the plain operation, whether Bonded has built what it asks for or not.
 */
import { ArtefactError } from '../../errors.ts';
import type { RequestHead } from '../contract.ts';
import type { Method, Scope } from './operation.ts';

type Methods = readonly Method[];

const READ: Methods = ['GET'];
const READ_WRITE: Methods = ['GET', 'PUT'];
const ALL: Methods = ['GET', 'PUT', 'DELETE'];

/** What S3 defines: scope → marker → methods. */
const DEFINED: Readonly<Record<Scope, Readonly<Record<string, Methods>>>> = {
  service: {},
  bucket: {
    abac: READ_WRITE,
    accelerate: READ_WRITE,
    acl: READ_WRITE,
    analytics: ALL,
    cors: ALL,
    delete: ['POST'],
    encryption: ALL,
    'intelligent-tiering': ALL,
    inventory: ALL,
    lifecycle: ALL,
    location: READ,
    logging: READ_WRITE,
    metadataAnnotationTable: ['PUT'],
    metadataConfiguration: ['GET', 'POST', 'DELETE'],
    metadataInventoryTable: ['PUT'],
    metadataJournalTable: ['PUT'],
    metadataTable: ['GET', 'POST', 'DELETE'],
    metrics: ALL,
    notification: READ_WRITE,
    'object-lock': READ_WRITE,
    ownershipControls: ALL,
    policy: ALL,
    policyStatus: READ,
    publicAccessBlock: ALL,
    replication: ALL,
    requestPayment: READ_WRITE,
    session: READ,
    tagging: ALL,
    uploads: READ,
    versioning: READ_WRITE,
    versions: READ,
    website: ALL,
  },
  object: {
    acl: READ_WRITE,
    annotation: ALL,
    attributes: READ,
    encryption: ['PUT'],
    'legal-hold': READ_WRITE,
    renameObject: ['PUT'],
    restore: ['POST'],
    retention: READ_WRITE,
    select: ['POST'],
    tagging: ALL,
    torrent: READ,
    uploadId: ['GET', 'PUT', 'POST', 'DELETE'],
    uploads: ['POST'],
  },
};

const MARKERS: ReadonlySet<string> = new Set(Object.values(DEFINED).flatMap((markers) => Object.keys(markers)));

/** The one marker in the query, or undefined. Throws `InvalidArgument` for two different ones, as S3 does. */
export function subresourceOf(head: RequestHead): string | undefined {
  if (head.query.length === 0) return undefined;
  const found = new Set(head.query.map(([name]) => name).filter((name) => MARKERS.has(name)));
  if (found.size > 1) {
    throw new ArtefactError('InvalidArgument', `Conflicting query string parameters: ${[...found].join(', ')}`, {
      details: { argumentName: 'ResourceType', argumentValue: [...found][0]! },
    });
  }
  return [...found][0];
}

/** True when S3 has such an operation: not having it here is then `NotImplemented`, not a mistake of the client. */
export function isDefinedByS3(scope: Scope, subresource: string, method: string): boolean {
  const methods: readonly string[] = DEFINED[scope][subresource] ?? [];
  return methods.includes(method);
}
