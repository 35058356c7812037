/** The manifests that Bonded's own API writes: one file for each resource, under `<manifests>/api/<namespace>/`. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { API_VERSION, readResource, readYaml, showPath, writeYaml, type Resource } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { createFile, removeFile, replaceFile, syncFolder } from './durableFile.ts';
import { API_FOLDER, ORIGIN_LABEL } from './manifests.ts';

/** A resource as it is written: plain data. */
export interface ManifestValue {
  readonly apiVersion: string;
  readonly kind: 'Bucket' | 'BucketPolicy';
  readonly metadata: { readonly name: string; readonly namespace: string } & Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Takes a change of a file back. */
export type Undo = () => Promise<void>;

export interface ApiManifests {
  /** Where the manifest of a resource stands, from the directory: what `Origin.owner` says of it. */
  place(kind: ManifestValue['kind'], namespace: string, name: string): string;
  /** The manifest of a resource; undefined when there is none. */
  read(kind: ManifestValue['kind'], namespace: string, name: string): Promise<ManifestValue | undefined>;
  /** Makes the file of a new resource; undefined when there is one already. */
  create(value: ManifestValue): Promise<Undo | undefined>;
  /** Writes over the file of a resource, or makes it. */
  replace(value: ManifestValue): Promise<Undo>;
  /** Removes the file of a resource, if there is one. */
  remove(kind: ManifestValue['kind'], namespace: string, name: string): Promise<Undo>;
}

const MODE = 0o644;

/** A new resource of the API, with the label that says so. */
export function newManifest(
  kind: ManifestValue['kind'],
  at: { readonly namespace: string; readonly name: string },
  spec: ManifestValue['spec'],
): ManifestValue {
  const { namespace, name } = at;
  const metadata = { name, namespace, creationTimestamp: new Date().toISOString(), labels: { [ORIGIN_LABEL]: 'api' } };
  return { apiVersion: API_VERSION, kind, metadata, spec };
}

/** The resource that the manifest would be read as. Throws `InvalidArgument` when it would be refused. */
export function judged(value: ManifestValue): Resource {
  const read = readResource(value);
  if ('resource' in read) return read.resource;
  const [problem] = read.problems;
  throw new ArtefactError('InvalidArgument', `${showPath(problem?.path ?? [])}: ${problem?.message ?? 'invalid'}.`);
}

/** The files under a directory of manifests. Each function is durable when it resolves. */
export function createApiManifests(directory: string): ApiManifests {
  const place: ApiManifests['place'] = (kind, namespace, name) => `${API_FOLDER}/${namespace}/${kind.toLowerCase()}-${name}.yaml`;
  const pathOf: ApiManifests['place'] = (kind, namespace, name) => join(directory, place(kind, namespace, name));
  const pathOfValue = ({ kind, metadata }: ManifestValue): string => pathOf(kind, metadata.namespace, metadata.name);
  return {
    place,
    read: async (kind, namespace, name) => {
      const text = await textOf(pathOf(kind, namespace, name));
      return text === undefined ? undefined : onlyResource(text, place(kind, namespace, name));
    },
    create: (value) =>
      written(async () => {
        const path = pathOfValue(value);
        await makeFolder(directory, dirname(path));
        if (!(await createFile(path, writeYaml(value), MODE))) return undefined;
        return async () => void (await removeFile(path));
      }),
    replace: (value) =>
      written(async () => {
        const path = pathOfValue(value);
        await makeFolder(directory, dirname(path));
        const before = await textOf(path);
        if (before !== undefined) onlyResource(before, place(value.kind, value.metadata.namespace, value.metadata.name));
        await replaceFile(path, writeYaml(value), MODE);
        return () => restore(path, before);
      }),
    remove: (kind, namespace, name) =>
      written(async () => {
        const path = pathOf(kind, namespace, name);
        const before = await textOf(path);
        if (before !== undefined) onlyResource(before, place(kind, namespace, name));
        await removeFile(path);
        return () => restore(path, before);
      }),
  };
}

async function restore(path: string, before: string | undefined): Promise<void> {
  if (before === undefined) await removeFile(path);
  else await replaceFile(path, before, MODE);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Somebody may have put more into the file than the API would: then it is theirs. */
function onlyResource(text: string, owner: string): ManifestValue {
  const { documents, reasons } = readYaml(text);
  if (documents.length === 1 && reasons.length === 0) return documents[0]?.value as ManifestValue;
  throw new ArtefactError('ManagedElsewhere', `There is more than one resource in ${owner}; change it there.`, { details: { owner } });
}

/** Each folder is durable in the one above it. */
async function makeFolder(directory: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= directory.length; at = dirname(at)) await syncFolder(at);
}

async function written<Of>(work: () => Promise<Of>): Promise<Of> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArtefactError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['EROFS', 'EACCES', 'EPERM'].includes(code)) {
      throw new ArtefactError(
        'ManagedElsewhere',
        'The directory of manifests cannot be written here: change the manifests where they come from.',
        { cause: error },
      );
    }
    throw new ArtefactError('Unavailable', 'The manifest could not be written. Please try again.', { cause: error });
  }
}
