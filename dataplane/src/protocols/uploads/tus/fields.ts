/** The header fields of tus 1.0.0. */
import { ArtefactError } from '../../../errors.ts';
import type { RequestHead } from '../../contract.ts';
import type { RangeSession } from '../../../core/ranges/contract.ts';
import { MAX_LENGTH } from '../../../core/ranges/length.ts';
import { mediaType } from '../../wholeBody.ts';
import { CHECKSUM_ALGORITHMS } from './checksum.ts';

export const TUS_VERSION = '1.0.0';

const EXTENSIONS = ['creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'checksum', 'termination', 'concatenation'];

/** What OPTIONS tells. */
export const TUS_ABILITIES: Readonly<Record<string, string>> = {
  'tus-resumable': TUS_VERSION,
  'tus-version': TUS_VERSION,
  'tus-extension': EXTENSIONS.join(','),
  'tus-max-size': String(MAX_LENGTH),
  'tus-checksum-algorithm': CHECKSUM_ALGORITHMS,
};

/** True for a request that speaks tus, in whatever version. */
export function isTus({ headers }: RequestHead): boolean {
  return headers['tus-resumable'] !== undefined;
}

/** Throws `PreconditionFailed` (reason `tus-version`) for another version, as tus demands of everything but OPTIONS. */
export function requireVersion({ headers }: RequestHead): void {
  if (headers['tus-resumable'] === TUS_VERSION) return;
  throw new ArtefactError('PreconditionFailed', `Speak tus ${TUS_VERSION}: no other version is known here.`, {
    details: { reason: 'tus-version' },
  });
}

/** A number of bytes; undefined without the field. Throws `InvalidArgument`. */
export function readBytes(head: RequestHead, name: 'upload-length' | 'upload-offset'): number | undefined {
  const field = head.headers[name];
  if (field === undefined) return undefined;
  if (!/^\d{1,15}$/.test(field)) throw new ArtefactError('InvalidArgument', `${name} must be a number of bytes.`);
  return Number(field);
}

const CONTENT = 'application/offset+octet-stream';

/** Throws `InvalidRequest` (`accept`: 415) unless the content is of tus' own type. */
export function requireContentType({ headers }: RequestHead): void {
  if (mediaType(headers['content-type']) === CONTENT) return;
  throw new ArtefactError('InvalidRequest', `The content must be sent as ${CONTENT}.`, { details: { accept: CONTENT } });
}

/** `Upload-Expires`: RFC 9110 dates. */
export function expiresHeader({ expires }: RangeSession): Readonly<Record<string, string>> {
  return { 'upload-expires': new Date(expires).toUTCString() };
}
