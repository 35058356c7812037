/** Three protocols in which a session takes its bytes in order: what each request looks like, and where answers tell the offset. */
import { createHash } from 'node:crypto';
import { digestField } from '../content.ts';
import type { Random } from '../random.ts';
import type { Session } from '../session.ts';
import type { Sent } from '../world.ts';
import type { Answer, Ask } from '../wire.ts';

export interface Beginning {
  readonly path: string;
  readonly thing: Sent;
  readonly random: Random;
  /** A partial upload of tus, which gets no name. */
  readonly partial: boolean;
}

export interface Appending {
  readonly session: Session;
  readonly bytes: Buffer;
  readonly last: boolean;
  readonly random: Random;
}

export interface Dialect {
  begin(beginning: Beginning): Ask;
  append(appending: Appending): Ask;
  /** Asks where the session stands. */
  where(session: Session): Ask;
  leave(session: Session): Ask;
  /** True when the answer says that the whole has its name. */
  isNamed(answer: Answer, session: Session): boolean;
  /** Asking names a whole that has all its bytes. */
  readonly askingNames: boolean;
}

/** Splits the path and query of an upload's URL. */
export function target(id: string): Pick<Ask, 'path' | 'query'> {
  const url = new URL(id, 'http://server');
  return { path: decodeURIComponent(url.pathname), query: Object.fromEntries(url.searchParams) };
}

/** The offset that an answer tells. */
export function offsetOf({ headers }: Pick<Answer, 'headers'>): number | undefined {
  const field = headers['upload-offset'];
  return typeof field === 'string' ? Number(field) : undefined;
}

type Fields = Readonly<Record<string, string>>;

const TUS = { 'tus-resumable': '1.0.0' };
const TUS_CONTENT = { 'content-type': 'application/offset+octet-stream' };

const tus: Dialect = {
  begin({ path, thing, random, partial }) {
    const metadata = `mark ${Buffer.from(thing.mark).toString('base64')}${random.chance(0.5) ? `,sha256 ${Buffer.from(thing.sha256).toString('base64')}` : ''}`;
    const headers = {
      ...TUS,
      'upload-length': String(thing.size),
      'upload-metadata': metadata,
      ...(partial ? { 'upload-concat': 'partial' } : {}),
    };
    return { method: 'POST', path: `/uploads${path}`, headers };
  },
  append({ session, bytes, random }) {
    const checksum: Fields = random.chance(0.5) ? { 'upload-checksum': `sha1 ${createHash('sha1').update(bytes).digest('base64')}` } : {};
    const headers = { ...TUS, ...TUS_CONTENT, 'upload-offset': String(session.acknowledged), ...checksum };
    return { method: 'PATCH', ...target(session.id), headers, body: bytes };
  },
  where: (session) => ({ method: 'HEAD', ...target(session.id), headers: TUS }),
  leave: (session) => ({ method: 'DELETE', ...target(session.id), headers: TUS }),
  isNamed: (answer, { kind, thing }) => kind !== 'partial' && offsetOf(answer) === thing.size,
  askingNames: true,
};

const ietf: Dialect = {
  begin({ path, thing, random }) {
    const digest: Fields = random.chance(0.5) ? { 'repr-digest': digestField(thing.sha256) } : {};
    const headers = { 'upload-complete': '?0', 'upload-length': String(thing.size), 'x-amz-meta-mark': thing.mark, ...digest };
    return { method: random.pick(['PUT', 'POST']), path: random.chance(0.5) ? path : `/uploads${path}`, headers };
  },
  append({ session, bytes, last, random }) {
    const headers = {
      'content-type': 'application/partial-upload',
      'upload-offset': String(session.acknowledged),
      'upload-complete': last ? '?1' : '?0',
      ...(random.chance(0.5) ? { 'upload-draft-interop-version': '9' } : {}),
      ...(random.chance(0.5) ? { 'content-digest': digestField(createHash('sha256').update(bytes).digest('hex')) } : {}),
    };
    return { method: 'PATCH', ...target(session.id), headers, body: bytes };
  },
  where: (session) => ({ method: 'HEAD', ...target(session.id) }),
  leave: (session) => ({ method: 'DELETE', ...target(session.id) }),
  isNamed: ({ headers }) => headers['upload-complete'] === '?1',
  askingNames: false,
};

const plain: Dialect = {
  begin({ path, thing, random }) {
    const stated: Fields = random.chance(0.5) ? { 'upload-length': String(thing.size) } : {};
    return { method: 'POST', path: `/uploads${path}`, headers: { 'x-amz-meta-mark': thing.mark, ...stated } };
  },
  append({ session, bytes, last, random }) {
    const { acknowledged, thing } = session;
    const range = bytes.length === 0 ? '*' : `${acknowledged}-${acknowledged + bytes.length - 1}`;
    const total = last || random.chance(0.5) ? String(thing.size) : '*';
    return { method: 'PUT', ...target(session.id), headers: { 'content-range': `bytes ${range}/${total}` }, body: bytes };
  },
  where: (session) => ({ method: 'HEAD', ...target(session.id) }),
  leave: (session) => ({ method: 'DELETE', ...target(session.id) }),
  isNamed: ({ headers }) => headers['upload-complete'] === '?1',
  askingNames: false,
};

/** The dialect of a kind of session that takes its bytes in order. */
export function dialectOf(kind: Session['kind']): Dialect {
  switch (kind) {
    case 'tus':
    case 'partial':
      return tus;
    case 'ietf':
      return ietf;
    case 'plain':
      return plain;
    case 'multipart':
    case 'parallel':
    case 'joined':
      throw new Error(`Sessions of kind ${kind} take their bytes in any order.`);
  }
}
