/** The header fields of resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload, interop versions 8 and 9). */
import { ArtefactError } from '../../../errors.ts';
import type { RequestHead } from '../../contract.ts';
import { mediaType } from '../../wholeBody.ts';
import { readBoolean, readInteger } from '../structured.ts';

export const PARTIAL = 'application/partial-upload';

/** Drafts whose 104 and fields are the ones spoken here. A client of another one gets no 104, as the draft demands. */
const INTEROP: readonly number[] = [8, 9];

/** The version to answer 104 with; undefined for a client that must not get any. */
export function interopVersion({ headers }: RequestHead): string | undefined {
  const version = readInteger(headers['upload-draft-interop-version']);
  return version !== undefined && INTEROP.includes(version) ? String(version) : undefined;
}

/** Upload-Complete, which makes a request one of this face; undefined without it, and for what is no boolean. */
export function readComplete({ headers }: RequestHead): boolean | undefined {
  return readBoolean(headers['upload-complete']);
}

/** The length that a request tells, by Upload-Length or by being the last one. Throws `InvalidRequest` (reason `length`) when both differ. */
export function statedLength(
  head: RequestHead,
  at: { readonly offset: number; readonly complete: boolean; readonly size?: number },
): number | undefined {
  const field = readInteger(head.headers['upload-length']);
  const implied = at.complete && at.size !== undefined ? at.offset + at.size : undefined;
  if (field !== undefined && implied !== undefined && field !== implied) {
    throw new ArtefactError('InvalidRequest', `Upload-Length says ${field} bytes, and the content makes ${implied}.`, {
      details: { reason: 'length' },
    });
  }
  return field ?? implied;
}

/** Throws `InvalidRequest` (`accept`: 415) unless the content is a part of a representation. */
export function requirePartial({ headers }: RequestHead): void {
  if (mediaType(headers['content-type']) === PARTIAL) return;
  throw new ArtefactError('InvalidRequest', `Send the content as ${PARTIAL}.`, { details: { accept: PARTIAL } });
}
