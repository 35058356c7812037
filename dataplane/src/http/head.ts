/** Builds the head that protocols see out of what Node parsed. It never throws: a head with a fault still names its protocol. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { ArtefactError } from '../errors.ts';
import type { RequestHead } from '../protocols/contract.ts';
import { framingFault } from './framing.ts';
import type { ClientReader } from './proxies.ts';

/** A head, and what is wrong with it. With a fault nothing may be done but answering it, and the connection must close. */
export interface ReceivedHead {
  readonly head: RequestHead;
  readonly fault?: ArtefactError;
}

/** Reads the head of a request. `originalUrl` is the target before a router shortened it. */
export function readHead(request: IncomingMessage & { readonly originalUrl?: string }, readClient: ClientReader): ReceivedHead {
  const rawHeaders = pairs(request.rawHeaders);
  const headers = joinHeaders(rawHeaders);
  const sent = request.originalUrl ?? request.url ?? '/';
  const framing = framingFault({ httpVersion: request.httpVersion, rawHeaders, headers, target: sent });
  const { target, authority } = splitTarget(sent);
  const query = readQuery(target);
  const encrypted = (request.socket as Partial<TLSSocket>).encrypted === true;
  const head: RequestHead = {
    id: randomUUID(),
    method: request.method ?? 'GET',
    target,
    rawPath: pathOf(target),
    query: query ?? [],
    headers,
    rawHeaders,
    host: (authority ?? headers['host'] ?? '').toLowerCase(),
    ...readClient({ address: request.socket.remoteAddress, encrypted }, headers),
  };
  const fault = framing ?? (query ? undefined : new ArtefactError('MalformedUri', 'The query is not well-formed percent-encoded UTF-8.'));
  return fault ? { head, fault } : { head };
}

/** RFC 9112 §3.2.2: a server must also take the absolute form, whose authority then counts as the host. */
function splitTarget(sent: string): { readonly target: string; readonly authority?: string } {
  if (sent.startsWith('/')) return { target: sent };
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(sent);
  if (!absolute) return { target: sent };
  const rest = absolute[2] ?? '';
  return { authority: absolute[1] ?? '', target: rest.startsWith('/') ? rest : `/${rest}` };
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

/** Undefined when a name or value is not percent-encoded UTF-8. */
export function readQuery(target: string): readonly (readonly [string, string])[] | undefined {
  const mark = target.indexOf('?');
  if (mark < 0 || mark === target.length - 1) return [];
  try {
    return target
      .slice(mark + 1)
      .split('&')
      .filter((parameter) => parameter !== '')
      .map(readParameter);
  } catch {
    return undefined;
  }
}

function readParameter(parameter: string): readonly [string, string] {
  const equals = parameter.indexOf('=');
  if (equals < 0) return [decode(parameter), ''];
  return [decode(parameter.slice(0, equals)), decode(parameter.slice(equals + 1))];
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function pairs(flat: readonly string[]): readonly (readonly [string, string])[] {
  const headers: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) headers.push([flat[at]!.toLowerCase(), flat[at + 1]!]);
  return headers;
}

/** RFC 9110 §5.3: values of one name are joined with commas, in order (cookies with semicolons, RFC 6265 §5.4). */
function joinHeaders(rawHeaders: readonly (readonly [string, string])[]): Readonly<Record<string, string | undefined>> {
  const joined: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  for (const [name, value] of rawHeaders) {
    const before = joined[name];
    joined[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return joined;
}
