/** The Credential of a SigV4 signature: whose key, and the day, region and service that the signing key is confined to. */
import type { ArtefactError, ErrorDetails } from '../errors.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINAL = 'aws4_request';
const ACCESS_KEY_ID = /^[\w.@+=,-]{1,128}$/;
const DAY = /^\d{8}$/;
const REGION = /^[\w-]{1,64}$/;

/** A parsed `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`. */
export interface Credential {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** `<date>/<region>/<service>/aws4_request`, as the string to sign has it. */
  readonly scope: string;
}

/** What a scope must say. */
export interface ScopeRules {
  /** The only region that is accepted; undefined accepts any. */
  readonly region?: string;
  readonly services: readonly string[];
}

/** Makes the error of the place the credential stands in (header, query, form) from a detail in S3's words. */
export type CredentialFault = (detail: string, details?: ErrorDetails) => ArtefactError;

/** Reads a Credential; throws what `fault` makes when it is malformed or breaks the rules. */
export function parseCredential(text: string, rules: ScopeRules, fault: CredentialFault): Credential {
  const parts = text.split('/');
  const [accessKeyId, date, region, service, terminal] = parts as [string, string, string, string, string];
  if (parts.length !== 5 || !ACCESS_KEY_ID.test(accessKeyId)) {
    throw fault('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (terminal !== TERMINAL) throw fault(`incorrect terminal ${quoted(terminal)}. This endpoint uses "${TERMINAL}".`);
  if (!DAY.test(date)) throw fault(`incorrect date format ${quoted(date)}. This date in the credential must be in the format "yyyyMMdd".`);
  if (!rules.services.includes(service)) throw fault(`incorrect service ${quoted(service)}. This endpoint belongs to "s3".`);
  const expected = rules.region ?? (REGION.test(region) ? region : 'us-east-1');
  if (region !== expected) throw fault(`the region ${quoted(region)} is wrong; expecting '${expected}'`, { region: expected });
  return { accessKeyId, date, region, service, scope: [date, region, service, TERMINAL].join('/') };
}

/** Client text inside a message: bounded, and without characters that could break a log line or a document. */
function quoted(text: string): string {
  return `'${text.slice(0, 64).replaceAll(/[^\x20-\x7e]|['"<>&]/g, '?')}'`;
}
