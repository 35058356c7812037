/** The file of the storage location: where an installation keeps its content when that is not the data directory. */
import { readFile } from 'node:fs/promises';
import { judgeOf, readYaml, type LocatedDocument, type StructuralSchema } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { reasonOf } from './manifestFile.ts';
import { showProblem, type ManifestProblem } from './manifestProblem.ts';

/** A bucket of an S3 server. Its credentials are not here: they come from the environment, a profile, or a role. */
export interface S3Location {
  readonly bucket: string;
  /** Before every object's name; '' or a text that ends with `/`. */
  readonly prefix: string;
  /** Default: Amazon's own for the region. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly forcePathStyle?: boolean;
  /** Parts of uploads that travel to the server at once, in each process: 8 MiB each. Default 4. */
  readonly parallelParts?: number;
  /** Downloads are answered with a redirect to the S3 server, after all checks. */
  readonly redirectDownloads?: boolean;
}

export interface StorageLocation {
  readonly s3: S3Location;
}

const MAX_CHARACTERS = 64 * 1024;

const SCHEMA: StructuralSchema = {
  type: 'object',
  required: ['s3'],
  properties: {
    s3: {
      type: 'object',
      required: ['bucket'],
      properties: {
        bucket: { type: 'string', minLength: 3, maxLength: 255 },
        prefix: { type: 'string', maxLength: 100, default: '', pattern: '^([0-9A-Za-z][0-9A-Za-z._-]*/)*$' },
        endpoint: { type: 'string', minLength: 1, maxLength: 2048 },
        region: { type: 'string', minLength: 1, maxLength: 64 },
        forcePathStyle: { type: 'boolean' },
        parallelParts: { type: 'integer', minimum: 1, maximum: 64 },
        redirectDownloads: { type: 'boolean' },
      },
    },
  },
};

const judge = judgeOf(SCHEMA);

/** Reads the file: one YAML or JSON mapping. Throws `InvalidArgument` with `file:line: reason` for everything that is wrong with it. */
export async function readStorageFile(file: string): Promise<StorageLocation> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse([{ file, reason: `it cannot be read (${error.code ?? 'unknown error'})` }]);
  });
  if (text.length > MAX_CHARACTERS) throw refuse([{ file, reason: `it has more than ${MAX_CHARACTERS} characters` }]);
  const { documents, reasons } = readYaml(text);
  if (reasons.length > 0) throw refuse(reasons.map((reason) => ({ file, ...reason })));
  const [document, ...rest] = documents;
  if (!document) throw refuse([{ file, reason: 'it is empty: it names a location, such as s3: {bucket: …}' }]);
  if (rest.length > 0) throw refuse([{ file, line: rest[0]?.line, reason: 'there must be one location only' }]);
  return readLocation(file, document);
}

function readLocation(file: string, document: LocatedDocument): StorageLocation {
  const { value, problems } = judge(document.value);
  if (problems.length > 0) {
    throw refuse(problems.map(({ path, message }) => ({ file, line: document.lineOf(path), reason: reasonOf(path, message) })));
  }
  const location = value as StorageLocation;
  const reason = location.s3.endpoint === undefined ? undefined : wrongEndpoint(location.s3.endpoint);
  if (reason !== undefined) throw refuse([{ file, line: document.lineOf(['s3', 'endpoint']), reason: `s3.endpoint: ${reason}` }]);
  return location;
}

/** Plain HTTP is for servers within one network: requests are signed, and so is their content, but everybody on the way can read it. */
function wrongEndpoint(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return 'must be a URL';
  const { protocol, username, password, hash, search } = new URL(endpoint);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https:// or http://';
  return username + password + hash + search === '' ? undefined : 'must have no user, password, query or fragment';
}

function refuse(problems: readonly ManifestProblem[]): ArtefactError {
  return new ArtefactError('InvalidArgument', `The storage location cannot be used: ${problems.map(showProblem).join('; ')}.`);
}
