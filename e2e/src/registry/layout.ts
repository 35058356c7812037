/** OCI image layouts on disk (image-spec, image-layout.md): images made of random bytes, and what clients pulled. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tarOf } from './tar.ts';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** An image as it lies in a layout. Digests are written `sha256:<hex>`. */
export interface Image {
  readonly layout: string;
  readonly descriptor: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An index over several images, in one layout with them. */
export interface ImageIndex {
  readonly layout: string;
  readonly descriptor: Descriptor;
  readonly images: readonly Image[];
}

/** Makes a layout with one image of two layers, tagged `tag`. `bytes`: the size of the larger layer, before it is packed. */
export async function makeImage(layout: string, tag: string, bytes = 100_000): Promise<Image> {
  const image = await layImage(layout, 'amd64', bytes);
  await layRoot(layout, image.descriptor, tag);
  return image;
}

/** Makes a layout with an index over images for two architectures, tagged `tag`. */
export async function makeIndex(layout: string, tag: string): Promise<ImageIndex> {
  const architectures = ['amd64', 'arm64'];
  const images: Image[] = [];
  for (const architecture of architectures) images.push(await layImage(layout, architecture, 50_000));
  const manifests = images.map(({ descriptor }, n) => ({ ...descriptor, platform: { os: 'linux', architecture: architectures[n] } }));
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
  const descriptor = await layBlob(layout, INDEX_TYPE, Buffer.from(body));
  await layRoot(layout, descriptor, tag);
  return { layout, descriptor, images };
}

/** The bytes of a blob in a layout; fails unless they are what its name says. */
export async function blobIn(layout: string, digest: string): Promise<Buffer> {
  const bytes = await readFile(join(layout, 'blobs', ...digest.split(':')));
  assert.equal(digestOf(bytes), digest, `what ${layout} holds as ${digest} is something else`);
  return bytes;
}

/** Digests of all that a layout holds; fails unless every file is what its name says. */
export async function digestsIn(layout: string): Promise<readonly string[]> {
  const names = (await readdir(join(layout, 'blobs/sha256'))).toSorted();
  const digests = names.map((hex) => `sha256:${hex}`);
  for (const digest of digests) await blobIn(layout, digest);
  return digests;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function layImage(layout: string, architecture: string, bytes: number): Promise<Image> {
  const tars = [tarOf('greeting', Buffer.from(`hello from ${architecture}\n`)), tarOf('ware', randomBytes(bytes))];
  const layers: Descriptor[] = [];
  for (const tar of tars) layers.push(await layBlob(layout, LAYER_TYPE, gzipSync(tar)));
  const diffs = tars.map(digestOf);
  const rootfs = { type: 'layers', diff_ids: diffs };
  const history = diffs.map((_, n) => ({ created: '2026-01-01T00:00:00Z', created_by: `step ${n}` }));
  const content = { created: '2026-01-01T00:00:00Z', architecture, os: 'linux', config: { Cmd: ['/ware'] }, rootfs, history };
  const config = await layBlob(layout, CONFIG_TYPE, Buffer.from(JSON.stringify(content)));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers, annotations: { 'dev.bonded.test': architecture } };
  const descriptor = await layBlob(layout, MANIFEST_TYPE, Buffer.from(JSON.stringify(manifest)));
  return { layout, descriptor, config, layers };
}

async function layBlob(layout: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes);
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  await writeFile(join(layout, 'blobs', ...digest.split(':')), bytes);
  return { mediaType, digest, size: bytes.byteLength };
}

async function layRoot(layout: string, descriptor: Descriptor, tag: string): Promise<void> {
  const manifests = [{ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': tag } }];
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}
