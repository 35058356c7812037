/** The keys of a registry's names in its realm (`realm.ts`). */
import type { DigestName } from '../digest.ts';
import type { ObjectVersion } from '../object.ts';
import type { ManifestPush } from './contract.ts';

/** A digest in a repository. */
export interface Place {
  /** Without the bucket: `app`, `team/app`. */
  readonly repository: string;
  readonly digest: DigestName;
}

export function tagKey(repository: string, tag: string): string {
  return `t/${repository}:${tag}`;
}

export function manifestKey(place: Place): string {
  return `m/${placeName(place)}`;
}

export function blobKey(place: Place): string {
  return `l/${placeName(place)}`;
}

/** What uploads to a repository are begun under. */
export function uploadKey(repository: string): string {
  return `u/${repository}`;
}

/** `<repository>@<digest>`. */
export function placeName({ repository, digest }: Place): string {
  return `${repository}@${digest}`;
}

/** The repository that a name of a registry is in: of `app:1.2` and of `app@sha256:…` it is `app`. */
export function repositoryOf(publicName: string): string {
  return publicName.replace(/[@:].*$/s, '');
}

/** Reads a key of a blob back; undefined for another key. */
export function blobPlace(key: string): Place | undefined {
  const at = key.indexOf('@');
  if (!key.startsWith('l/') || at < 0) return undefined;
  return { repository: key.slice(2, at), digest: key.slice(at + 1) as DigestName };
}

/** All tags of a repository, all of its blobs, all of its manifests; all manifests of all. */
export const tagsOf = (repository: string): string => `t/${repository}:`;
export const blobsOf = (repository: string): string => `l/${repository}@`;
export const manifestsOf = (repository: string): string => `m/${repository}@`;
export const ALL_MANIFESTS = 'm/';

/** What the record of a manifest remembers of it, so that whoever deletes it need not read it: metadata of its name. */
export function namesOf({ blobs, subject, listed }: ManifestPush): Readonly<Record<string, string>> {
  const subjects = [...(subject === undefined ? [] : [subject.digest]), ...(listed === undefined ? [] : [listed.subject])];
  return {
    ...(blobs.length > 0 && { blobs: blobs.join(' ') }),
    ...(subjects.length > 0 && { subjects: subjects.join(' ') }),
    ...(listed !== undefined && listed.descriptors.length > 0 && { listed: listed.descriptors.map(({ digest }) => digest).join(' ') }),
  };
}

/** Reads it back. */
export function namedBy({ metadata }: ObjectVersion): Readonly<Record<'blobs' | 'subjects' | 'listed', readonly DigestName[]>> {
  const list = (name: string): readonly DigestName[] => (metadata[name]?.split(' ') ?? []) as readonly DigestName[];
  return { blobs: list('blobs'), subjects: list('subjects'), listed: list('listed') };
}

/** The manifest that a tag points at, as it was called when it was pushed. */
export function pointsAt(tag: ObjectVersion): DigestName {
  return (tag.metadata['digest'] as DigestName | undefined) ?? tag.digest;
}
