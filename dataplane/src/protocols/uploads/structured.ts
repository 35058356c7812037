/** The structured fields (RFC 9651) that uploads use. Like the drafts demand, a field that is not of its type counts as absent. */
import { ArtefactError } from '../../errors.ts';

const BOOLEAN = /^[ ]*\?([01])[ ]*(?:;.*)?$/;
/** RFC 9651 §3.3.1: up to 15 digits. */
const INTEGER = /^[ ]*(\d{1,15})[ ]*(?:;.*)?$/;

/** An Item that is a Boolean. */
export function readBoolean(field: string | undefined): boolean | undefined {
  const match = field === undefined ? null : BOOLEAN.exec(field);
  return match === null ? undefined : match[1] === '1';
}

/** An Item that is a non-negative Integer. */
export function readInteger(field: string | undefined): number | undefined {
  const match = field === undefined ? null : INTEGER.exec(field);
  return match === null ? undefined : Number(match[1]);
}

const MEMBER = /^[ \t]*([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/]*={0,2}):[ \t]*(?:;[^,]*)?$/;
const MAX_FIELD = 4096;

/**
 * The sha-256 member of a digest field (RFC 9530 §2, §3) as bytes; undefined without the field. Other algorithms beside it are
 * skipped; a field without sha-256 is refused with `InvalidDigest`, since it asks for a check that would not happen.
 */
export function readSha256(name: 'Repr-Digest' | 'Content-Digest', field: string | undefined): Buffer | undefined {
  if (field === undefined) return undefined;
  const members = field.length > MAX_FIELD ? [null] : field.split(',').map((member) => MEMBER.exec(member));
  if (members.includes(null)) throw new ArtefactError('InvalidDigest', `${name} must be a dictionary of byte sequences (RFC 9530).`);
  const sha256 = members.findLast((member) => member![1] === 'sha-256');
  if (!sha256) throw new ArtefactError('InvalidDigest', `${name} must hold sha-256: no other algorithm is checked here.`);
  const bytes = Buffer.from(sha256[2]!, 'base64');
  if (bytes.length !== 32) throw new ArtefactError('InvalidDigest', `The sha-256 of ${name} must have 32 bytes.`);
  return bytes;
}
