/** Reading manifests (image-spec 1.1, docker's v2 schema 2): what one names, and what it is about. */
import { parseDigestName } from '../../../core/digest.ts';
import type { DigestName } from '../../../core/digest.ts';
import { ArtefactError } from '../../../errors.ts';
import { decodeText, mediaType as withoutParameters } from '../../wholeBody.ts';

/** Bytes of a manifest; the spec asks for no less. */
export const MAX_MANIFEST = 4 * 1024 * 1024;

/** Descriptors in one manifest. */
const MAX_BLOBS = 1000;
const MAX_CHILDREN = 10_000;

export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_IMAGE = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';

/** Lists of blobs in a manifest of each media type; an index names manifests. */
const BLOBS: Readonly<Record<string, readonly string[]>> = {
  [OCI_IMAGE]: ['config', 'layers'],
  [DOCKER_IMAGE]: ['config', 'layers'],
  [OCI_ARTIFACT]: ['blobs'],
  [OCI_INDEX]: [],
  [DOCKER_LIST]: [],
};

/** Characters of the annotations of a manifest that is about another one: lists of referrers carry them. */
const MAX_ABOUT = 32 * 1024;

/** Layers that nobody may distribute need not be here. */
const FOREIGN = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.|docker\.image\.rootfs\.foreign\.)/;

export interface ReadDescriptor {
  readonly mediaType: string;
  readonly digest: DigestName;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Throws `MalformedBody` for a list of referrers that none of ours could carry. */
export function requireListable(manifests: readonly ReadDescriptor[]): void {
  for (const { annotations } of manifests) requireShort(annotations);
}

export interface ReadManifest {
  readonly mediaType: string;
  readonly blobs: readonly DigestName[];
  readonly children: readonly DigestName[];
  /** The manifests of an index, as it describes them. */
  readonly manifests: readonly ReadDescriptor[];
  readonly subject?: DigestName;
  /** Its own, else the media type of its config (distribution-spec 1.1, "Listing Referrers"). */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Throws `MalformedBody` for what is no manifest of a known type, or not of the type that it is sent as. */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): ReadManifest {
  const json = parse(bytes);
  const mediaType = mediaTypeOf(json, withoutParameters(contentType));
  const lists = BLOBS[mediaType];
  if (lists === undefined) throw invalid(`Manifests of the type ${mediaType.slice(0, 100)} are not kept here.`);
  if (mediaType !== OCI_ARTIFACT && json['schemaVersion'] !== 2) throw invalid('The schemaVersion of a manifest is 2.');
  const blobs = lists.flatMap((name) => descriptorsOf(json, name, MAX_BLOBS)).filter((one) => !FOREIGN.test(one.mediaType));
  const isIndex = lists.length === 0;
  const manifests = isIndex ? descriptorsOf(json, 'manifests', MAX_CHILDREN) : [];
  return { mediaType, blobs: unique(blobs), children: unique(manifests), manifests, ...aboutOf(json) };
}

function aboutOf(json: Readonly<Record<string, unknown>>): Pick<ReadManifest, 'subject' | 'artifactType' | 'annotations'> {
  const { subject, config } = json;
  const about = subject === undefined || subject === null ? undefined : readDescriptor(subject, 'subject').digest;
  const artifactType = textOf(json, 'artifactType') ?? (record(config) ? textOf(config, 'mediaType') : undefined);
  const annotations = annotationsOf(json);
  if (about !== undefined) requireShort(annotations);
  return {
    ...(about !== undefined && { subject: about }),
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(decodeText(bytes));
  } catch (cause) {
    throw new ArtefactError('MalformedBody', 'A manifest is JSON.', { cause });
  }
  if (!record(json)) throw invalid('A manifest is a JSON object.');
  return json;
}

function mediaTypeOf(json: Readonly<Record<string, unknown>>, sent: string | undefined): string {
  const own = textOf(json, 'mediaType');
  if (own !== undefined && sent !== undefined && own !== sent)
    throw invalid(`The manifest says that it is ${own.slice(0, 100)}, and it was sent as ${sent.slice(0, 100)}.`);
  const known = own ?? sent;
  if (known !== undefined && known !== 'application/json') return known;
  return Array.isArray(json['manifests']) ? OCI_INDEX : OCI_IMAGE;
}

/** One descriptor, or a list of them; of a list that is required, null is none. */
function descriptorsOf(json: Readonly<Record<string, unknown>>, name: string, most: number): readonly ReadDescriptor[] {
  const value = json[name];
  if (name === 'config') return [readDescriptor(value, name)];
  if (value === undefined && name === 'blobs') return [];
  if (!Array.isArray(value)) throw invalid(`'${name}' is a list.`);
  if (value.length > most) throw invalid(`'${name}' has ${value.length} entries; ${most} are the most that are kept here.`);
  return value.map((one) => readDescriptor(one, name));
}

function readDescriptor(value: unknown, where: string): ReadDescriptor {
  if (!record(value)) throw invalid(`'${where}' has a descriptor that is no object.`);
  const { mediaType, digest, size } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string')
    throw invalid(`A descriptor in '${where}' lacks its mediaType or digest.`);
  if (!Number.isSafeInteger(size) || Number(size) < 0) throw invalid(`A descriptor in '${where}' has no size.`);
  const artifactType = textOf(value, 'artifactType');
  const annotations = annotationsOf(value);
  return {
    mediaType,
    digest: parseDigestName(digest),
    size: Number(size),
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
}

function requireShort(annotations: Readonly<Record<string, string>> | undefined): void {
  if (JSON.stringify(annotations ?? {}).length <= MAX_ABOUT) return;
  throw invalid(`The annotations of a manifest with a subject have at most ${MAX_ABOUT} characters here: put more in a blob.`);
}

function annotationsOf(value: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> | undefined {
  const { annotations } = value;
  if (annotations === undefined || annotations === null) return undefined;
  if (!record(annotations) || !Object.values(annotations).every((one) => typeof one === 'string')) {
    throw invalid('Annotations are a JSON object of texts.');
  }
  return annotations as Readonly<Record<string, string>>;
}

function textOf(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const text = value[name];
  if (text === undefined || text === null || text === '') return undefined;
  if (typeof text !== 'string') throw invalid(`'${name}' is a text.`);
  return text;
}

function unique(descriptors: readonly ReadDescriptor[]): readonly DigestName[] {
  return [...new Set(descriptors.map(({ digest }) => digest))];
}

function record(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('MalformedBody', message);
}
