/** Refuses heads that two servers could read in two ways (request smuggling, RFC 9112 §11.2), before anything trusts them. */
import { ArtefactError } from '../errors.ts';

/** What the checks look at: the request line and the headers, names lower-cased. */
export interface Framing {
  readonly httpVersion: string;
  /** Every one as sent. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  /** Those of one name joined, so that one with a single copy has its value. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly target: string;
}

type Check = (framing: Framing) => ArtefactError | undefined;

const MAX_HOST = 261;
const HOST = /^[A-Za-z0-9._~%-]*(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;
const TARGET = /^(\/|\*$|https?:\/\/[^/?#\\@]+(\/|\?|$))[\x21-\x22\x24-\x7e]*$/i;

/** Headers whose second copy would leave open which one counts. */
const SINGLE = new Set([
  'authorization',
  'content-length',
  'content-md5',
  'content-type',
  'expect',
  'host',
  'transfer-encoding',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
]);

/** The first fault of a head, or undefined when it can be read in one way only. */
export function framingFault(framing: Framing): ArtefactError | undefined {
  for (const check of CHECKS) {
    const fault = check(framing);
    if (fault) return fault;
  }
  return undefined;
}

const CHECKS: readonly Check[] = [singletonsAreSingle, hostIsClear, lengthIsClear, codingIsKnown, expectationIsKnown, targetIsWellFormed];

function singletonsAreSingle({ rawHeaders, headers }: Framing): ArtefactError | undefined {
  for (const [name, value] of rawHeaders) {
    // Two values joined are longer than either.
    if (value === headers[name] || !SINGLE.has(name)) continue;
    return new ArtefactError('InvalidRequest', `Send the header ${name} once only.`);
  }
  return undefined;
}

/** RFC 9112 §3.2: exactly one Host in HTTP/1.1; with an absolute target, it must name the same one. */
function hostIsClear({ headers, httpVersion, target }: Framing): ArtefactError | undefined {
  const host = headers['host'];
  if (host === undefined) return httpVersion === '1.0' ? undefined : new ArtefactError('InvalidRequest', 'Send a Host header.');
  if (host.length > MAX_HOST || !HOST.test(host))
    return new ArtefactError('InvalidRequest', 'The Host header is not a host name or address.');
  const authority = target.startsWith('/') ? undefined : /^https?:\/\/([^/?#]+)/i.exec(target)?.[1];
  const differs = authority !== undefined && authority.toLowerCase() !== host.toLowerCase();
  return differs ? new ArtefactError('InvalidRequest', 'The Host header and the request target name different hosts.') : undefined;
}

function lengthIsClear({ headers }: Framing): ArtefactError | undefined {
  const length = headers['content-length'];
  if (length === undefined) return undefined;
  if (!/^\d{1,15}$/.test(length)) return new ArtefactError('InvalidRequest', 'Content-Length must be a whole number of bytes.');
  const both = headers['transfer-encoding'] !== undefined;
  return both ? new ArtefactError('InvalidRequest', 'Send either Content-Length or Transfer-Encoding, never both.') : undefined;
}

function codingIsKnown({ headers, httpVersion }: Framing): ArtefactError | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (httpVersion === '1.0') return new ArtefactError('InvalidRequest', 'Transfer-Encoding does not exist in HTTP/1.0.');
  if (coding.toLowerCase() === 'chunked') return undefined;
  return new ArtefactError('NotImplemented', 'Of the transfer codings only chunked is understood.');
}

/** RFC 9110 §10.1.1 knows one expectation. */
function expectationIsKnown({ headers }: Framing): ArtefactError | undefined {
  const expectation = headers['expect'];
  if (expectation === undefined || expectation.toLowerCase() === '100-continue') return undefined;
  return new ArtefactError('InvalidRequest', 'Of all expectations only 100-continue is understood.');
}

function targetIsWellFormed({ target }: Framing): ArtefactError | undefined {
  return TARGET.test(target) ? undefined : new ArtefactError('MalformedUri', 'The request target must be a path with an optional query.');
}
