/** Continuation tokens: opaque to clients. They only say where to go on, which `start-after` may say as well, so they need no secret. */
import { invalidArgument } from '../errors.ts';

const VERSION = 1;
/** The longest key, plus the version, in base64. */
const MAX_LENGTH = 2048;

/** A token that goes on strictly after this name. */
export function writeToken(after: string): string {
  return Buffer.concat([Buffer.from([VERSION]), Buffer.from(after)]).toString('base64url');
}

/** Where a token goes on; throws `InvalidArgument` for what `writeToken` did not write. Undefined without a token. */
export function readToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token.slice(0, MAX_LENGTH + 1), 'base64url');
  const after = bytes.subarray(1).toString('utf8');
  if (token.length > MAX_LENGTH || after === '' || after.includes('\0') || writeToken(after) !== token) {
    throw invalidArgument('continuation-token', token.slice(0, MAX_LENGTH), 'The continuation token provided is incorrect');
  }
  return after;
}
