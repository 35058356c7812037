/** A directory of manifests, read as one state: every resource in it, or everything that is wrong with it. */
import { identityOf, problemsOfChange, type Origin, type Resource, type SourcedResource } from '@bonded/crds';
import { findManifests, type ManifestFile } from './manifestFiles.ts';
import { readManifest, reasonOf, type LocatedResource, type ReadManifest } from './manifestFile.ts';
import type { ManifestProblem } from './manifestProblem.ts';

export type { LocatedResource } from './manifestFile.ts';

/** The folder in the directory that is Bonded's own, and the label of what it wrote there. */
export const API_FOLDER = 'api';
export const ORIGIN_LABEL = 'bonded.dev/origin';

export interface ReadManifests {
  readonly resources: readonly LocatedResource[];
  readonly problems: readonly ManifestProblem[];
}

export interface ManifestReader {
  /** Reads the directory as it is now. Files that did not change since the last time are not parsed again. */
  read(): Promise<ReadManifests>;
}

const MAX_TOTAL_BYTES = 256 * 1024 * 1024;
const MAX_RESOURCES = 100_000;
/** Files that are read together. */
const BATCH = 32;
/** A file that changed this shortly before it was read may change again within the same tick of the clock, in ms. */
const UNSETTLED = 1000;

interface Kept {
  readonly fingerprint: string;
  readonly settled: boolean;
  readonly manifest: ReadManifest;
}

/** Makes the reader of a directory, which must exist. */
export function createManifestReader(directory: string): ManifestReader {
  let kept = new Map<string, Kept>();
  return {
    async read() {
      const { files, problems } = await findManifests(directory);
      if (files.reduce((sum, { size }) => sum + size, 0) > MAX_TOTAL_BYTES) {
        return { resources: [], problems: [{ file: '.', reason: `the manifests have more than ${MAX_TOTAL_BYTES} bytes together` }] };
      }
      const read = new Map<string, Kept>();
      for (let at = 0; at < files.length; at += BATCH) {
        const batch = files.slice(at, at + BATCH);
        const manifests = await Promise.all(batch.map((file) => readOrKeep(file, kept.get(file.path))));
        batch.forEach((file, index) => read.set(file.path, manifests[index] as Kept));
      }
      kept = read;
      return gather(
        [...read.values()].map(({ manifest }) => manifest),
        problems,
      );
    },
  };
}

async function readOrKeep(file: ManifestFile, known: Kept | undefined): Promise<Kept> {
  if (known?.settled && known.fingerprint === file.fingerprint) return known;
  const settled = Date.now() - file.changed > UNSETTLED;
  return { fingerprint: file.fingerprint, settled, manifest: await readManifest(file) };
}

function gather(manifests: readonly ReadManifest[], problems: readonly ManifestProblem[]): ReadManifests {
  const resources = manifests.flatMap((manifest) => manifest.resources);
  const found = [...problems, ...manifests.flatMap((manifest) => manifest.problems)];
  if (resources.length > MAX_RESOURCES) found.push({ file: '.', reason: `there are more than ${MAX_RESOURCES} resources` });
  return { resources, problems: [...found, ...duplicates(resources)] };
}

function duplicates(resources: readonly LocatedResource[]): readonly ManifestProblem[] {
  const first = new Map<string, LocatedResource>();
  return resources.flatMap((located) => {
    const identity = identityOf(located.resource);
    const other = first.get(identity);
    if (!other) {
      first.set(identity, located);
      return [];
    }
    return [
      { file: located.file, line: located.line, reason: `${identity} is also defined in ${other.file}:${other.line}; keep one of them` },
    ];
  });
}

/** What the compiler takes. What Bonded's own API wrote is known by its place and its label. */
export function sourced({ resource, file, line }: LocatedResource): SourcedResource {
  return { resource, origin: originOf(resource, file, line) };
}

function originOf({ metadata }: Resource, file: string, line: number): Origin {
  const own = file.startsWith(`${API_FOLDER}/`) && metadata.labels?.[ORIGIN_LABEL] === 'api';
  return own ? { managedBy: 'api', owner: file } : { managedBy: 'manifests', owner: `${file}:${line}` };
}

/** Changes that the schema forbids, from what was in force to what the manifests say now. */
export function forbiddenChanges(resources: readonly LocatedResource[], former: ReadonlyMap<string, Resource>): readonly ManifestProblem[] {
  return resources.flatMap((located) => {
    const old = former.get(identityOf(located.resource));
    if (!old) return [];
    return problemsOfChange(old, located.resource).map(({ path, message }) => ({
      file: located.file,
      line: located.lines.get(path.slice(0, 2).join('.')) ?? located.line,
      reason: reasonOf(path, message),
    }));
  });
}
