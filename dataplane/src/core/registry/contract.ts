/** The registry as protocols see it: repositories in a bucket, with their blobs, manifests, tags and referrers. */
import type { BucketConfig } from '@bonded/crds';
import type { Actor, Arrived } from '../core.ts';
import type { DigestName } from '../digest.ts';
import type { ObjectVersion } from '../object.ts';
import type { MayRead } from '../ranges/contract.ts';
import type { Place } from './names.ts';

/** What a manifest says of itself that others look for (image-spec, descriptor). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: DigestName;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest whose bytes have arrived. */
export interface ManifestPush extends Place {
  readonly arrived: Arrived;
  readonly mediaType: string;
  /** Blobs of this repository that it names and that must be there. */
  readonly blobs: readonly DigestName[];
  /** Manifests of this repository that it names and that must be there. */
  readonly children: readonly DigestName[];
  /** The manifest that this one is about, whether it is there or not. */
  readonly subject?: { readonly digest: DigestName; readonly descriptor: Descriptor };
  /** Referrers of another manifest that this one lists, for clients that keep the list themselves. */
  readonly listed?: { readonly subject: DigestName; readonly descriptors: readonly Descriptor[] };
}

/** A name of a manifest: its digest, or a tag. */
export type Reference = { readonly digest: DigestName } | { readonly tag: string };

export interface FoundManifest {
  readonly digest: DigestName;
  readonly mediaType: string;
  readonly version: ObjectVersion;
}

export interface Page {
  /** Strictly after this. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** `next`: give it as `after` for the page behind this one; undefined at the end. */
export interface Names {
  readonly names: readonly string[];
  readonly next?: string;
}

export interface Tagging {
  readonly repository: string;
  readonly tag: string;
  readonly digest: DigestName;
  /** False: a tag that points elsewhere is not moved (`AccessDenied`). */
  readonly mayOverwrite: boolean;
  readonly actor: Actor;
}

/**
 * `NameUnknown` for what is not there. The names that a client chose are checked by the protocol: a repository has no `@`, `:` or
 * U+0000, a tag no `/`.
 */
export interface Registry {
  /** Throws `NameUnknown`. With `touch`, a blob that waits for its removal is given the time again. */
  findBlob(bucket: BucketConfig, place: Place, touch?: boolean): Promise<ObjectVersion>;
  /** Names bytes that arrived, whose digest was checked. */
  putBlob(bucket: BucketConfig, place: Place, arrived: Arrived, actor: Actor): Promise<void>;
  /** Names bytes that another repository has; no byte is read in one location. Throws `NameUnknown`. */
  mountBlob(
    from: { readonly bucket: BucketConfig; readonly repository: string },
    to: { readonly bucket: BucketConfig; readonly place: Place },
    actor: Actor,
  ): Promise<void>;
  /** Names bytes that the store has under any name that the caller may read; false when there is none. */
  mountKnown(bucket: BucketConfig, place: Place, mayRead: MayRead, actor: Actor): Promise<boolean>;
  /** Throws `NameUnknown`, and `Held` while a manifest of the repository names it. */
  deleteBlob(bucket: BucketConfig, place: Place, actor: Actor): Promise<void>;
  /** Throws `NameUnknown`. */
  findManifest(bucket: BucketConfig, repository: string, reference: Reference): Promise<FoundManifest>;
  /** Throws `DigestUnknown`, with `details.missing` (digests, a space between them), and keeps nothing. */
  putManifest(bucket: BucketConfig, push: ManifestPush, actor: Actor): Promise<void>;
  /** With its tags. Throws `NameUnknown`, `Immutable`. */
  deleteManifest(bucket: BucketConfig, place: Place, actor: Actor): Promise<void>;
  /** Points a tag at a manifest of the repository. Throws `NameUnknown`, `Immutable`, `AccessDenied`. */
  tag(bucket: BucketConfig, tagging: Tagging): Promise<void>;
  /** Throws what `tag` would, but for a manifest that is not there, and changes nothing. */
  mayTag(bucket: BucketConfig, tagging: Tagging): Promise<void>;
  /** Throws `NameUnknown`, `Immutable`. */
  untag(bucket: BucketConfig, repository: string, tag: string, actor: Actor): Promise<void>;
  /** In byte order. Throws `NameUnknown` when nothing was ever pushed to the repository, or all of it is gone. */
  tags(bucket: BucketConfig, repository: string, page: Page): Promise<Names>;
  /** Repositories with a manifest, in byte order. */
  repositories(bucket: BucketConfig, page: Page): Promise<Names>;
  /** Manifests that are about `subject`, whether that is there or not. */
  referrers(
    bucket: BucketConfig,
    subject: Place,
    query: Page & { readonly artifactType?: string | undefined },
  ): Promise<{ readonly descriptors: readonly Descriptor[]; readonly next?: string }>;
}
