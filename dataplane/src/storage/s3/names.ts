/**
 * How record keys become object names, so that the byte order of names is the order of keys and every S3 server takes them.
 *
 * - Letters and digits stand for themselves, and so does `/` where it ends a path segment that is not empty. Every other byte is
 *   a head and two hexadecimal digits; the head (`-`, `=`, `_`, `~`) sorts where the byte would.
 * - A name ends with `!`, which sorts before everything else: no object's name is a folder's name, and none ends with `/`.
 * - A segment that is long enough is cut by `~/`: file systems take 255 bytes.
 * - A key whose name would be too long for S3 (1,024 bytes) is a *long* one: `<head>~!/<hash of the key>!`. All long keys with one
 *   head stand in one folder in no order; a scan reads the whole folder and sorts it by the keys in the bodies.
 *
 * What is written for a byte, and where is cut, depends on the bytes before it only. That is why order is kept.
 */
import { createHash } from 'node:crypto';

/** A segment is cut when it has this many bytes and goes on. */
const SEGMENT = 200;

/** A name is long when it has this many bytes and goes on. With the store's prefix and a hash it stays below 1,024. */
const LONGEST = 800;

/** The end of a name. */
const END = '!';
const CUT = '~/';
/** Between the head of long keys and their hashes. */
const LONG = '~!/';

const SLASH = 0x2f;
const HEX = /^[0-9a-f]{2}$/;

const CODES: readonly string[] = Array.from({ length: 256 }, (_, byte) => codeOf(byte));

function codeOf(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[0-9A-Za-z]/.test(character)) return character;
  return headOf(byte) + byte.toString(16).padStart(2, '0');
}

function headOf(byte: number): string {
  if (byte < 0x30) return '-';
  if (byte < 0x41) return '=';
  return byte < 0x61 ? '_' : '~';
}

interface Written {
  readonly head: string;
  /** True when the text goes on beyond the longest name. */
  readonly long: boolean;
}

function write(text: string): Written {
  let head = '';
  let segment = 0;
  for (const byte of Buffer.from(text)) {
    if (head.length >= LONGEST) return { head, long: true };
    if (segment >= SEGMENT) {
      head += CUT;
      segment = 0;
    }
    const ends = byte === SLASH && segment > 0;
    const code = ends ? '/' : (CODES[byte] ?? '');
    head += code;
    segment = ends ? 0 : segment + code.length;
  }
  return { head, long: false };
}

/** The object name of a record key. */
export function nameOf(key: string): string {
  const { head, long } = write(key);
  return long ? `${head}${LONG}${createHash('sha256').update(key).digest('hex')}${END}` : head + END;
}

/**
 * What the names of all keys that start with `prefix` start with. Long names that start with it may belong to other keys: those
 * are told apart by their keys only.
 */
export function namePrefix(prefix: string): string {
  const { head, long } = write(prefix);
  return long ? head + LONG : head;
}

/** A text that sorts after the names of all keys before `key` and before the names of all others (long ones of its folder excepted). */
export function nameBefore(key: string): string {
  return namePrefix(key);
}

/** What a name says: its key, or the folder of long keys in which it stands. Undefined for a name that is none of ours. */
export type Read = { readonly key: string } | { readonly folder: string };

/** Reads a name back. */
export function readName(name: string): Read | undefined {
  const long = name.indexOf(LONG);
  if (long >= 0) return { folder: name.slice(0, long + LONG.length) };
  if (!name.endsWith(END)) return undefined;
  const bytes = readCodes(name.slice(0, -END.length));
  const key = bytes && new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
  // Whatever another program put there reads as something that is written differently.
  return key !== undefined && nameOf(key) === name ? { key } : undefined;
}

function readCodes(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length;) {
    const character = text.charAt(at);
    if (text.startsWith(CUT, at)) at += CUT.length;
    else if (!'-=_~'.includes(character)) {
      bytes.push(character.charCodeAt(0));
      at += 1;
    } else {
      const digits = text.slice(at + 1, at + 3);
      if (!HEX.test(digits)) return undefined;
      bytes.push(Number.parseInt(digits, 16));
      at += 3;
    }
  }
  return Uint8Array.from(bytes);
}

/** What a folder of names (it ends with `/`) is: that of all keys with a prefix that ends with `/`, or one that only cuts names. */
export function readFolder(folder: string): { readonly prefix: string } | 'cut' | 'long' | undefined {
  if (folder.endsWith(LONG)) return 'long';
  if (folder.endsWith(CUT)) return 'cut';
  const read = readName(folder + END);
  return read && 'key' in read ? { prefix: read.key } : undefined;
}

/** A text that sorts after all names of a folder of long keys, and before all that are not in it. */
export function afterFolder(folder: string): string {
  return `${folder}~`;
}
