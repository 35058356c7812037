/** Listings as a client reads them, page by page. */
import type { Answer, Ask } from '../wire.ts';
import { ask, unexpected, type World } from '../world.ts';
import { elements, text } from '../xml.ts';

export interface Listed {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
}

export interface ListedVersion extends Listed {
  readonly id: string;
  readonly latest: boolean;
  readonly marker: boolean;
}

export type Entry = Listed & { readonly folder?: true };

export interface Listing {
  readonly pageSize: number;
  readonly prefix?: string;
  readonly delimiter?: string;
}

/** ListObjectsV2 from the first page to the last; undefined when the server went away meanwhile. */
export async function readListing(world: World, bucket: string, { pageSize, prefix, delimiter }: Listing): Promise<Entry[] | undefined> {
  const entries: Entry[] = [];
  const base = { 'list-type': '2', 'max-keys': String(pageSize), ...(prefix && { prefix }), ...(delimiter !== undefined && { delimiter }) };
  for (let after: Record<string, string> = {}; ;) {
    const page = await readPage(world, bucket, { ...base, ...after });
    if (page === undefined) return undefined;
    entries.push(...elements(page, 'Contents').map(listed), ...elements(page, 'CommonPrefixes').map(folder));
    if (text(page, 'IsTruncated') !== 'true') return entries;
    after = { 'continuation-token': text(page, 'NextContinuationToken') ?? '' };
  }
}

function folder(entry: string): Entry {
  return { key: text(entry, 'Prefix') ?? '', etag: '', size: 0, folder: true };
}

function listed(entry: string): Listed {
  return { key: text(entry, 'Key') ?? '', etag: (text(entry, 'ETag') ?? '').replaceAll('"', ''), size: Number(text(entry, 'Size') ?? -1) };
}

/** ListObjectVersions from the first page to the last, in its order. */
export async function readVersions(world: World, bucket: string, pageSize: number): Promise<ListedVersion[] | undefined> {
  const entries: ListedVersion[] = [];
  for (let from: Record<string, string> = {}; ;) {
    const page = await readPage(world, bucket, { versions: '', 'max-keys': String(pageSize), ...from });
    if (page === undefined) return undefined;
    for (const [, kind, entry = ''] of page.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)) {
      const latest = text(entry, 'IsLatest') === 'true';
      entries.push({ ...listed(entry), id: text(entry, 'VersionId') ?? '', latest, marker: kind === 'DeleteMarker' });
    }
    if (text(page, 'IsTruncated') !== 'true') return entries;
    from = { 'key-marker': text(page, 'NextKeyMarker') ?? '', 'version-id-marker': text(page, 'NextVersionIdMarker') ?? '' };
  }
}

/** Uploads in parts that are open: key and upload id. */
export async function readUploads(
  world: World,
  bucket: string,
): Promise<readonly { readonly key: string; readonly id: string }[] | undefined> {
  const page = await readPage(world, bucket, { uploads: '' });
  return page === undefined
    ? undefined
    : elements(page, 'Upload').map((entry) => ({ key: text(entry, 'Key') ?? '', id: text(entry, 'UploadId') ?? '' }));
}

async function readPage(world: World, bucket: string, query: Record<string, string>): Promise<string | undefined> {
  const request: Ask = { method: 'GET', path: `/${bucket}`, query };
  const reply = await ask(world, request);
  if (reply.kind !== 'answer' || !reply.whole) return undefined;
  return pageOf(request, reply);
}

function pageOf(request: Ask, answer: Answer): string {
  if (answer.status !== 200) throw unexpected(request, answer);
  return answer.body.toString();
}
