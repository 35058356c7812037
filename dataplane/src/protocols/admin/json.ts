/** JSON bodies, both ways. */
import { ArtefactError } from '../../errors.ts';
import type { Call, Reply } from '../contract.ts';
import { decodeText, mediaType, readWhole } from '../wholeBody.ts';
import { objectOf } from './fields.ts';
import type { Fields } from './fields.ts';

/** The largest request body of the JSON API, in bytes. */
export const MAX_JSON_BODY = 1024 * 1024;

/** An answer in JSON. It concerns one caller at one moment: nobody may keep it. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

/**
 * Reads the request's JSON object of at most 1 MiB, with just these fields; an empty body is an object without fields.
 * Throws `InvalidRequest` (rendered as 415) for another media type, `BodyTooLarge`, `MalformedBody`, `PayloadMismatch`
 * and `InvalidArgument` naming the field.
 */
export async function readJson<T>(call: Pick<Call<unknown>, 'head' | 'payload'>, fields: Fields<T>): Promise<T> {
  const body = await readWhole(call.payload, MAX_JSON_BODY);
  if (body.length === 0) return objectOf(fields)({}, '');
  requireJson(call.head.headers['content-type']);
  return objectOf(fields)(parse(decodeText(body)), '');
}

function requireJson(contentType: string | undefined): void {
  if (mediaType(contentType) === 'application/json') return;
  throw new ArtefactError('InvalidRequest', 'Send the body as JSON, with Content-Type: application/json.', {
    details: { accept: 'application/json' },
  });
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    // the parser's own message would repeat parts of the body, which may hold a token: not even the log gets it
    throw new ArtefactError('MalformedBody', 'The body is not valid JSON.');
  }
}
