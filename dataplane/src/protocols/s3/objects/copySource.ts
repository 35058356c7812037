/** `x-amz-copy-source`: which version a copy is made of. */
import { invalidArgument } from '../errors.ts';
import { fromField } from './headerText.ts';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

const MAX_FIELD = 8192;
const VERSION_MARK = '?versionId=';

/**
 * Reads `[/]bucket/key[?versionId=id]`, percent-encoded, with `+` for a space as S3 decodes it. Throws `InvalidArgument` for
 * anything else. That bucket and key exist, and may be read, is asked elsewhere.
 */
export function parseCopySource(field: string): CopySource {
  if (field.length > MAX_FIELD) throw malformed('');
  const mark = field.lastIndexOf(VERSION_MARK);
  const path = decode(mark === -1 ? field : field.slice(0, mark)).replace(/^\//, '');
  const slash = path.indexOf('/');
  const bucket = path.slice(0, slash);
  const key = path.slice(slash + 1);
  if (slash < 1 || key === '') throw malformed(field);
  if (bucket.startsWith('arn:')) throw malformed(field, 'Copy sources by ARN are not offered: write bucket/key.');
  if (Buffer.byteLength(key) > 1024 || key.includes('\u0000')) throw malformed(field);
  if (mark === -1) return { bucket, key };
  const versionId = decode(field.slice(mark + VERSION_MARK.length).replace(/&.*$/s, ''));
  if (versionId === '') throw invalidArgument('x-amz-copy-source', field.slice(0, 1024), 'Version id cannot be the empty string');
  return { bucket, key, versionId };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(fromField(text).replaceAll('+', ' '));
  } catch {
    throw malformed(text);
  }
}

function malformed(field: string, hint = 'Write bucket/key, percent-encoded.'): Error {
  return invalidArgument('x-amz-copy-source', field.slice(0, 1024), `Copy Source must mention the source bucket and key. ${hint}`);
}
