/** What a registry itself says, asked over plain HTTP without any client between. */
import assert from 'node:assert/strict';
import { blobIn, digestOf, INDEX_TYPE, MANIFEST_TYPE, type Descriptor, type Image, type ImageIndex } from './layout.ts';
import type { Registry } from './registry.ts';

const DOCKER_TYPES = ['application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.distribution.manifest.list.v2+json'];
const ACCEPT = [MANIFEST_TYPE, INDEX_TYPE, ...DOCKER_TYPES].join(', ');
const LONGEST_MS = 60_000;

/** A manifest as it is stored: the digest is of the bytes that came. */
export interface Stored {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface Manifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
}

/** One request with the registry's password, whose answer is looked at whatever it is. `path`: below `/v2/`. */
export function askRegistry(registry: Registry, path: string, method = 'GET'): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${registry.user}:${registry.password}`).toString('base64')}`;
  return fetch(`http://${registry.host}/v2/${path}`, {
    method,
    headers: { authorization, accept: ACCEPT },
    signal: AbortSignal.timeout(LONGEST_MS),
  });
}

/** Fails unless the manifest is there and the registry calls it by its right digest. */
export async function manifestOf(registry: Registry, repository: string, reference: string): Promise<Stored> {
  const answer = await askRegistry(registry, `${repository}/manifests/${reference}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.status, 200, `${repository} ${reference}: ${bytes.toString().slice(0, 400)}`);
  const digest = digestOf(bytes);
  assert.equal(answer.headers.get('docker-content-digest'), digest);
  return { digest, mediaType: answer.headers.get('content-type') ?? '', bytes };
}

/** Fails unless the blob is there with the bytes that its digest says. */
export async function blobOf(registry: Registry, repository: string, digest: string): Promise<Buffer> {
  const answer = await askRegistry(registry, `${repository}/blobs/${digest}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.status, 200, `${repository} ${digest}: ${bytes.toString().slice(0, 400)}`);
  assert.equal(digestOf(bytes), digest);
  return bytes;
}

/** All tags of a repository, in the order in which they come. */
export async function tagsOf(registry: Registry, repository: string): Promise<readonly string[]> {
  const answer = await askRegistry(registry, `${repository}/tags/list`);
  assert.equal(answer.status, 200);
  // Distribution answers null for none.
  const { tags } = (await answer.json()) as { readonly tags: readonly string[] | null };
  return tags ?? [];
}

/** The status of a HEAD of a manifest. */
export async function manifestStatus(registry: Registry, repository: string, reference: string): Promise<number> {
  return (await askRegistry(registry, `${repository}/manifests/${reference}`, 'HEAD')).status;
}

/** Fails unless the image stands in the repository under this tag, byte for byte, with its config and all layers. */
export async function assertStands(registry: Registry, repository: string, tag: string, image: Image): Promise<void> {
  const { descriptor, layout, config, layers } = image;
  const stored = await manifestOf(registry, repository, tag);
  assert.equal(stored.digest, descriptor.digest);
  assert.equal(stored.mediaType, descriptor.mediaType);
  for (const { digest } of [config, ...layers])
    assert.ok((await blobOf(registry, repository, digest)).equals(await blobIn(layout, digest)));
}

/** The same for an index with all its images. */
export async function assertIndexStands(registry: Registry, repository: string, tag: string, index: ImageIndex): Promise<void> {
  const stored = await manifestOf(registry, repository, tag);
  assert.equal(stored.digest, index.descriptor.digest);
  assert.equal(stored.mediaType, INDEX_TYPE);
  for (const image of index.images) await assertStands(registry, repository, image.descriptor.digest, image);
}

export function parsed({ bytes }: Stored): Manifest {
  return JSON.parse(bytes.toString()) as Manifest;
}
