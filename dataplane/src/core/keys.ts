/**
 * Where each kind of record stands. Keys of one bucket begin with its id, not its name, so that a bucket made anew under an
 * old name never shows what was there before. U+0000 ends a name that is followed by something (names cannot hold it).
 *
 *     bucket/<name>                          its id, since when                       one per bucket in use
 *     kept/<namespace>/<name>                what a tenant has under a name that another has now
 *     gone/<bucketId>                        a deleted bucket whose remains are being removed
 *     head/<bucketId>/<key>                  the current version of a name: every change of a name is a change of this record
 *     past/<bucketId>/<key>␀<inverted id>    older versions, newest first
 *     digest/<hex>                           where the bytes are
 *     ref/<hex>/<bucketId>/<key>␀<id>        which versions name a digest
 *     layout/<hex>/<uploadId>                the parts a multipart object was made of
 *     upload/<bucketId>/<key>␀<uploadId>     an open upload session
 *     ranges/<bucketId>/<key>␀<uploadId>     an open upload session that takes byte ranges
 *     part/<uploadId>/<number>/<id>          a part that arrived (the newest of a number counts), or
 *     part/<uploadId>/<offset>/<id>          a piece of a session of ranges
 *     done/<uploadId>                        what a finished session became, for repeated completions
 *     intent/<blobId>                        bytes that are arriving and not yet named
 *     garbage/<…>                            what may have to go
 *     uses/<realmId>/<repository>@<blob>␀<manifest>        which manifests of a repository name a blob of it
 *     referrer/<realmId>/<repository>@<subject>␀<manifest> manifests that are about another
 *     scrub/state, scrub/request             how far the scrub is, and when it was asked for another pass
 *     scrub/finding/<hex>                    what the scrub found wrong with a digest's bytes
 *     journal/<id>                           every change
 */
import type { Digest } from './digest.ts';
import { digestHex } from './digest.ts';
import { invertId } from './ids.ts';

const END = '\u0000';

export const keys = {
  bucket: (name: string): string => `bucket/${name}`,
  buckets: 'bucket/',
  kept: (namespace: string, name: string): string => `kept/${namespace}/${name}`,
  keptBuckets: 'kept/',
  gone: (bucketId: string): string => `gone/${bucketId}`,
  goneBuckets: 'gone/',
  heads: (bucketId: string): string => `head/${bucketId}/`,
  head: (bucketId: string, key: string): string => `head/${bucketId}/${key}`,
  pastOfBucket: (bucketId: string): string => `past/${bucketId}/`,
  pastOfKey: (bucketId: string, key: string): string => `past/${bucketId}/${key}${END}`,
  past: (bucketId: string, key: string, id: string): string => `past/${bucketId}/${key}${END}${invertId(id)}`,
  digest: (digest: Digest): string => `digest/${digestHex(digest)}`,
  digests: 'digest/',
  refs: (digest: Digest): string => `ref/${digestHex(digest)}/`,
  refsOfBucket: (digest: Digest, bucketId: string): string => `ref/${digestHex(digest)}/${bucketId}/`,
  ref: (digest: Digest, bucketId: string, key: string, id: string): string => `ref/${digestHex(digest)}/${bucketId}/${key}${END}${id}`,
  layouts: (digest: Digest): string => `layout/${digestHex(digest)}/`,
  layout: (digest: Digest, uploadId: string): string => `layout/${digestHex(digest)}/${uploadId}`,
  uploads: (bucketId: string): string => `upload/${bucketId}/`,
  upload: (bucketId: string, key: string, uploadId: string): string => `upload/${bucketId}/${key}${END}${uploadId}`,
  allUploads: 'upload/',
  rangeSessions: (bucketId: string): string => `ranges/${bucketId}/`,
  rangeSession: (bucketId: string, key: string, uploadId: string): string => `ranges/${bucketId}/${key}${END}${uploadId}`,
  allRangeSessions: 'ranges/',
  pieces: (uploadId: string, offset: number): string => `part/${uploadId}/${offsetDigits(offset)}/`,
  piece: (uploadId: string, offset: number, id: string): string => `part/${uploadId}/${offsetDigits(offset)}/${id}`,
  allParts: 'part/',
  parts: (uploadId: string): string => `part/${uploadId}/`,
  partsFrom: (uploadId: string, number: number): string => `part/${uploadId}/${partDigits(number)}/`,
  part: (uploadId: string, number: number, id: string): string => `part/${uploadId}/${partDigits(number)}/${id}`,
  done: (uploadId: string): string => `done/${uploadId}`,
  allDone: 'done/',
  intent: (blobId: string): string => `intent/${blobId}`,
  intents: 'intent/',
  garbageDigest: (digest: Digest): string => `garbage/digest/${digestHex(digest)}`,
  garbageDigests: 'garbage/digest/',
  garbageUpload: (uploadId: string): string => `garbage/upload/${uploadId}`,
  garbageUploads: 'garbage/upload/',
  garbageVersion: (bucketId: string, key: string, id: string): string => `garbage/version/${bucketId}/${key}${END}${id}`,
  garbageVersions: 'garbage/version/',
  garbageReplaced: (digest: Digest, id: string): string => `garbage/replaced/${digestHex(digest)}/${id}`,
  garbageReplacements: 'garbage/replaced/',
  uses: (id: string, blob: string): string => `uses/${id}/${blob}${END}`,
  use: (id: string, blob: string, manifest: string): string => `uses/${id}/${blob}${END}${manifest}`,
  referrers: (id: string, subject: string): string => `referrer/${id}/${subject}${END}`,
  referrer: (id: string, subject: string, manifest: string): string => `referrer/${id}/${subject}${END}${manifest}`,
  garbageUnused: (id: string, blob: string): string => `garbage/unused/${id}/${blob}`,
  garbageAllUnused: 'garbage/unused/',
  scrubState: 'scrub/state',
  scrubRequest: 'scrub/request',
  finding: (digest: Digest): string => `scrub/finding/${digestHex(digest)}`,
  findings: 'scrub/finding/',
  journal: (id: string): string => `journal/${id}`,
  journals: 'journal/',
} as const;

/** Records of a realm beside its names. */
export function registryRemains(id: string): readonly string[] {
  return [`uses/${id}/`, `referrer/${id}/`, `garbage/unused/${id}/`];
}

function partDigits(number: number): string {
  return String(number).padStart(5, '0');
}

function offsetDigits(offset: number): string {
  return String(offset).padStart(15, '0');
}

/** Splits `<key>␀<id>` that stands behind `prefix`. */
export function splitNamed(recordKey: string, prefix: string): { readonly key: string; readonly id: string } {
  const rest = recordKey.slice(prefix.length);
  const end = rest.lastIndexOf(END);
  return { key: rest.slice(0, end), id: rest.slice(end + 1) };
}
