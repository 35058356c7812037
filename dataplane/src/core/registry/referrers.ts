/**
 * Referrers: manifests that are about another one, a record each, so that no two pushes about one subject meet. A manifest that says so
 * itself has its record as long as it stands; one that a client has put on a list of its own has another (`LISTED`), which counts while
 * the manifest is there, and goes with the list.
 */
import type { Change, Json } from '../../storage/contract.ts';
import type { OpenBucket } from '../buckets.ts';
import type { DigestName } from '../digest.ts';
import { keys } from '../keys.ts';
import { scanAll } from '../scan.ts';
import { findHead } from '../versions.ts';
import type { Descriptor, ManifestPush, Page } from './contract.ts';
import { manifestKey, placeName } from './names.ts';
import type { Place } from './names.ts';

/** Behind a digest it sorts right after the digest itself. */
const LISTED = '~';

/** Behind the manifest's own record: nothing is listed that is not there. */
export function writeReferrers(bucket: OpenBucket, { repository, subject, listed }: ManifestPush): readonly Change[] {
  const put = (about: DigestName, name: string, descriptor: Descriptor): Change => ({
    put: referrerKey(bucket, { repository, digest: about }, name),
    value: descriptor as unknown as Json,
  });
  return [
    ...(subject === undefined ? [] : [put(subject.digest, subject.descriptor.digest, subject.descriptor)]),
    ...(listed?.descriptors ?? []).map((descriptor) => put(listed!.subject, descriptor.digest + LISTED, descriptor)),
  ];
}

/** Before the manifest's own record goes: what it said of itself, and what it listed. */
export function forgetReferrers(
  bucket: OpenBucket,
  { repository, digest }: Place,
  { subjects, listed }: { readonly subjects: readonly DigestName[]; readonly listed: readonly DigestName[] },
): readonly Change[] {
  return subjects.flatMap((subject) => {
    const about = { repository, digest: subject };
    return [digest, ...listed.map((one) => one + LISTED)].map((name) => ({ delete: referrerKey(bucket, about, name) }));
  });
}

function referrerKey(bucket: OpenBucket, subject: Place, name: string): string {
  return keys.referrer(bucket.id, placeName(subject), name);
}

/** What `Registry.referrers` promises. */
export async function listReferrers(
  bucket: OpenBucket,
  subject: Place,
  { after, limit, artifactType }: Page & { readonly artifactType?: string | undefined },
): Promise<{ readonly descriptors: readonly Descriptor[]; readonly next?: string }> {
  const descriptors: Descriptor[] = [];
  // One more than there is room for tells whether there is a further page.
  for await (const descriptor of standing(bucket, subject, { after, page: limit + 1 })) {
    if (artifactType !== undefined && descriptor.artifactType !== artifactType) continue;
    if (descriptors.length === limit) return { descriptors, next: descriptors.at(-1)!.digest };
    descriptors.push(descriptor);
  }
  return { descriptors };
}

/** Each manifest once: by what it says itself, else by what the list says; without those of a list that are gone since. */
async function* standing(
  bucket: OpenBucket,
  subject: Place,
  { after, page }: { readonly after: string | undefined; readonly page: number },
): AsyncGenerator<Descriptor, void, void> {
  const prefix = keys.referrers(bucket.id, placeName(subject));
  let last = after;
  for await (const { key, value } of scanAll(bucket.store, prefix, { after: after && prefix + after + LISTED, page })) {
    const name = key.slice(prefix.length);
    const digest = (name.endsWith(LISTED) ? name.slice(0, -LISTED.length) : name) as DigestName;
    if (digest === last) continue;
    const isOwn = name === digest;
    if (!isOwn && (await findHead(bucket, manifestKey({ repository: subject.repository, digest }))) === undefined) continue;
    last = digest;
    yield value as unknown as Descriptor;
  }
}
