/** One file of manifests: its resources with their lines, or what is wrong with it. */
import { readFile } from 'node:fs/promises';
import { readResource, readYaml, showPath, type LocatedDocument, type Path, type Resource } from '@bonded/crds';
import type { ManifestFile } from './manifestFiles.ts';
import type { ManifestProblem } from './manifestProblem.ts';

/** A resource with where it stands. */
export interface LocatedResource {
  readonly resource: Resource;
  readonly file: string;
  /** Where it begins, from 1. */
  readonly line: number;
  /** Of a Bucket: lines of its fields `spec.<field>`, for what a later reading says of a change. */
  readonly lines: ReadonlyMap<string, number>;
}

export interface ReadManifest {
  readonly resources: readonly LocatedResource[];
  readonly problems: readonly ManifestProblem[];
}

/** The largest file, in bytes. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Reads a file. One that is gone by now has no resources. */
export async function readManifest(file: ManifestFile): Promise<ReadManifest> {
  if (file.size > MAX_MANIFEST_BYTES) return broken(file.path, `it has more than ${MAX_MANIFEST_BYTES} bytes`);
  try {
    return parseManifest(file.path, await readFile(file.absolute));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { resources: [], problems: [] };
    if (code !== undefined) return broken(file.path, `it cannot be read (${code})`);
    throw error;
  }
}

const NO_LINES: ReadonlyMap<string, number> = new Map();

/** The same for bytes in hand. */
export function parseManifest(file: string, bytes: Uint8Array): ReadManifest {
  const text = textOf(bytes);
  if (text === undefined) return broken(file, 'it is not UTF-8 text');
  const { documents, reasons } = readYaml(text);
  if (reasons.length > 0) return { resources: [], problems: reasons.map((reason) => ({ file, ...reason })) };
  const resources: LocatedResource[] = [];
  const problems: ManifestProblem[] = [];
  for (const document of documents) {
    const read = readResource(document.value);
    if ('resource' in read) resources.push({ resource: read.resource, file, line: document.line, lines: linesOf(document) });
    else
      problems.push(...read.problems.map(({ path, message }) => ({ file, line: document.lineOf(path), reason: reasonOf(path, message) })));
  }
  return { resources, problems };
}

/** `spec.name: unknown field`; without a path, the message alone. */
export function reasonOf(path: Path, message: string): string {
  return path.length === 0 ? message : `${showPath(path)}: ${message}`;
}

/** A few lines are kept instead of the whole parsed document, of which there may be tens of thousands. */
function linesOf(document: LocatedDocument): ReadonlyMap<string, number> {
  const { kind, spec } = document.value as { readonly kind?: unknown; readonly spec?: unknown };
  if (kind !== 'Bucket') return NO_LINES;
  const fields = typeof spec === 'object' && spec !== null ? Object.keys(spec) : [];
  return new Map(fields.map((field) => [`spec.${field}`, document.lineOf(['spec', field])]));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function broken(file: string, reason: string): ReadManifest {
  return { resources: [], problems: [{ file, reason }] };
}
