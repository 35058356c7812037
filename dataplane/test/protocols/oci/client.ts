/** A whole house with a bucket, and a client that speaks to its registry. */
import { createHash } from 'node:crypto';
import type { Rig } from '../../main/rig.ts';
import { raise } from '../../main/rig.ts';

export const BUCKET = 'builds';
export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export const digestOf = (bytes: Uint8Array | string, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export const described = (bytes: Uint8Array | string, mediaType = 'application/octet-stream'): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
});

export interface Registry extends Rig {
  send(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: Uint8Array | string): Promise<Response>;
  /** Pushes a blob at once, and answers its digest. */
  blob(repository: string, body: Uint8Array | string): Promise<string>;
  /** Pushes an image of these layers under a tag or its digest. */
  image(
    repository: string,
    reference: string | undefined,
    image?: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly digest: string; readonly text: string }>;
}

/** An image of one small layer, for what its manifest says besides. */
export function imageOf(layers: readonly Descriptor[], more: Readonly<Record<string, unknown>> = {}): string {
  const config = described('{}', 'application/vnd.oci.image.config.v1+json');
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE, config, layers, ...more });
}

export async function openRegistry(options: Parameters<typeof raise>[0] = {}): Promise<Registry> {
  const rig = await raise(options);
  const made = await rig.ask(`/${BUCKET}`, { method: 'PUT' });
  if (!made.ok && made.status !== 409) throw new Error((await made.text()) + rig.log());
  const send: Registry['send'] = (method, path, headers = {}, body) =>
    rig.ask(path, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) });
  const blob: Registry['blob'] = async (repository, body) => {
    const digest = digestOf(body);
    const pushed = await send(
      'POST',
      `/v2/${repository}/blobs/uploads/?digest=${digest}`,
      { 'content-type': 'application/octet-stream' },
      body,
    );
    if (pushed.status !== 201) throw new Error(await pushed.text());
    return digest;
  };
  return {
    ...rig,
    send,
    blob,
    async image(repository, reference, more = {}) {
      await blob(repository, '{}');
      await blob(repository, 'layer');
      const text = imageOf([described('layer')], more);
      const digest = digestOf(text);
      const pushed = await send('PUT', `/v2/${repository}/manifests/${reference ?? digest}`, { 'content-type': OCI_IMAGE }, text);
      if (pushed.status !== 201) throw new Error(await pushed.text());
      return { digest, text };
    },
  };
}

interface OciErrors {
  readonly errors: readonly { readonly code: string; readonly message: string; readonly detail?: Readonly<Record<string, unknown>> }[];
}

/** Status and codes of a refusal. */
export async function refusal(response: Response): Promise<readonly [status: number, ...codes: string[]]> {
  const { errors } = (await response.json()) as OciErrors;
  return [response.status, ...errors.map(({ code }) => code)];
}
