/** Trailers of an aws-chunked body: announced by `x-amz-trailer`, sent after the last chunk, perhaps signed. */
import { ArtefactError } from '../errors.ts';
import { incomplete, type ByteCursor } from './byteCursor.ts';
import type { ChunkChain } from './chunkSignature.ts';

const MAX_TRAILERS = 16;
const MAX_LINE = 1024;
const MAX_BLANK = 3;
const SIGNATURE = 'x-amz-trailer-signature';
const NAME = /^x-amz-checksum-[a-z0-9]{1,32}$/;
const VALUE = /^[\x21-\x7e]{0,512}$/;

/** Reads `x-amz-trailer`: lower-cased names. Throws `InvalidRequest` for a trailer that nothing here would look at. */
export function parseAnnouncement(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  if (!names.every((name) => NAME.test(name)) || new Set(names).size !== names.length || names.length > MAX_TRAILERS) {
    throw new ArtefactError('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported', {
      details: { argumentName: 'x-amz-trailer', argumentValue: header.slice(0, 256) },
    });
  }
  return names;
}

/**
 * Reads the lines behind the last chunk up to the end of the body, and answers the trailers: all that were announced and
 * no other. As S3 does, it takes what clients in use send: lines that end with LF alone, blank lines between them, and no
 * blank line behind a signature. Throws `MalformedBody`, `BodyIncomplete`, `SignatureMismatch`.
 */
export async function readTrailers(
  cursor: ByteCursor,
  announced: readonly string[],
  chain?: ChunkChain,
): Promise<ReadonlyMap<string, string>> {
  const { trailers, signature, ended } = await readLines(cursor, announced);
  if (trailers.size !== announced.length) throw malformedTrailer();
  if ((signature === undefined) !== (chain === undefined)) throw malformedTrailer();
  if (!ended && signature === undefined) throw incomplete();
  chain?.endTrailers(canonicalTrailers(trailers), signature ?? '');
  return trailers;
}

interface TrailerSection {
  readonly trailers: ReadonlyMap<string, string>;
  readonly signature: string | undefined;
  /** True when a blank line was there. */
  readonly ended: boolean;
}

async function readLines(cursor: ByteCursor, announced: readonly string[]): Promise<TrailerSection> {
  const found = new Map<string, string>();
  let blank = 0;
  for (let line = await nextLine(cursor); line !== undefined; line = await nextLine(cursor)) {
    if (line === '') {
      blank += 1;
      if (blank > MAX_BLANK) throw malformedTrailer();
      continue;
    }
    const [name, value] = parseTrailer(line);
    if (found.has(name) || (name !== SIGNATURE && !announced.includes(name))) throw malformedTrailer();
    found.set(name, value);
  }
  const signature = found.get(SIGNATURE);
  found.delete(SIGNATURE);
  return { trailers: found, signature, ended: blank > 0 };
}

function nextLine(cursor: ByteCursor): Promise<string | undefined> {
  return cursor.line(MAX_LINE, 'LF or CRLF');
}

function parseTrailer(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (!VALUE.test(value)) throw malformedTrailer();
  return [name, value];
}

function canonicalTrailers(trailers: ReadonlyMap<string, string>): string {
  const names = [...trailers.keys()].sort();
  return names.map((name) => `${name}:${trailers.get(name)}\n`).join('');
}

/** S3's one sentence for whatever is wrong with trailers. */
export function malformedTrailer(): ArtefactError {
  return new ArtefactError(
    'MalformedBody',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
    { details: { s3Code: 'MalformedTrailerError' } },
  );
}
