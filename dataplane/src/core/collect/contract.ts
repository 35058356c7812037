/** Collection as protocols and the process that runs it see it. */
import type { Digest } from '../digest.ts';
import type { Realm } from '../realm.ts';

/** Why bytes are still here. */
export interface Keep {
  readonly digest: Digest;
  readonly size?: number;
  readonly stored: boolean;
  /** Names that point at it, at most 1,000. */
  readonly names: readonly { readonly bucket: string; readonly key: string; readonly versionId: string; readonly realm?: Realm }[];
  /** Since when its bytes are in quarantine. */
  readonly quarantined?: string;
  /** When nothing names it: since when it is condemned, and when it may go. */
  readonly condemned?: { readonly since: string; readonly collectableAfter: string };
}

export interface Collection {
  /** One round over everything, in bounded steps; answers what it removed. Throws `Unavailable` while the clock cannot be trusted. */
  collect(
    signal: AbortSignal,
  ): Promise<{ readonly digests: number; readonly blobs: number; readonly uploads: number; readonly bytes: number }>;
  explain(digest: Digest): Promise<Keep>;
}
