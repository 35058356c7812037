/**
 * XML that comes in, read into a tree of elements with hard limits. Nothing outside the document is ever read: DOCTYPE,
 * entities and processing instructions are refused.
 */
import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { ArtefactError } from '../../errors.ts';
import { startSlices } from '../../slices.ts';

/** The limits of a document that comes in; its size in bytes is limited by whoever reads it. */
export const XML_LIMITS = {
  depth: 16,
  elements: 100_000,
  attributes: 16,
  nameLength: 128,
  textLength: 16_384,
  references: 100_000,
  comments: 1000,
} as const;

/** Characters, as a class of regular expressions has them, that XML 1.0 has no place for but S3 keys may hold; and the carriage return. */
export const CONTROL = '\\u0001-\\u0008\\u000b-\\u001f\\ufffe\\uffff';

/** One element of a document that came in. Names are local: a namespace prefix has been taken off. */
export interface XmlElement {
  readonly name: string;
  /** Exactly as written, white space too; '' for an element that has children. */
  readonly text: string;
  readonly children: readonly XmlElement[];
  /** The one child of that name; more than one is a `MalformedBody`. */
  child(name: string): XmlElement | undefined;
  all(name: string): readonly XmlElement[];
  /** As `child`, but a missing one is a `MalformedBody` too. */
  required(name: string): XmlElement;
}

/**
 * Reads one document whose root must be one of `roots`. Throws `MalformedBody` for whatever is not well-formed UTF-8 XML
 * within `XML_LIMITS`, for DOCTYPE, entities and processing instructions, and for text between elements.
 */
export function parseXml(bytes: Uint8Array, roots: readonly string[]): XmlElement {
  const reader = createReader(bytes);
  for (const piece of piecesOf(bytes)) reader.read(piece);
  return reader.end(roots);
}

/** The same in slices: a document of megabytes takes longer than others shall wait. */
export async function parseLongXml(bytes: Uint8Array, roots: readonly string[]): Promise<XmlElement> {
  const reader = createReader(bytes);
  const slices = startSlices();
  for (const piece of piecesOf(bytes)) {
    if (slices.due()) await slices.next();
    reader.read(piece);
  }
  return reader.end(roots);
}

/** Bytes of a piece: far less than a slice, whatever they are. */
const PIECE = 1024;
/** Bytes without markup or a reference: more than any text that is accepted. */
const MOST_PLAIN = 4 * XML_LIMITS.textLength;

/** Characters before the first element: a DOCTYPE may be long, and is refused by the parser where it ends. */
const MOST_PROLOG = XML_LIMITS.textLength;

const LESS_THAN = 0x3c;
const AMPERSAND = 0x26;

/** Cuts a document before markup or a reference, so that none is cut in two, where one of them begins in the piece. */
function* piecesOf(document: Uint8Array): Generator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const bom = document[0] === 0xef && document[1] === 0xbb && document[2] === 0xbf;
  let plain = 0;
  for (let at = bom ? 3 : 0, end; at < document.length; at = end) {
    end = pieceEnd(document, at);
    plain = document[at] === LESS_THAN || document[at] === AMPERSAND ? 0 : plain + end - at;
    if (plain > MOST_PLAIN) throw malformedXml('A text, a comment or a value is too long.');
    yield decoded(decoder, document.subarray(at, end), end < document.length);
  }
}

function pieceEnd(document: Uint8Array, at: number): number {
  if (at + PIECE >= document.length) return document.length;
  const piece = document.subarray(at, at + PIECE);
  const cut = Math.max(piece.lastIndexOf(LESS_THAN), piece.lastIndexOf(AMPERSAND));
  return at + (cut > 0 ? cut : PIECE);
}

/** Throws `MalformedBody` when `element` has a child of another name: what is not understood is never ignored. */
export function allowOnly(element: XmlElement, names: readonly string[]): void {
  const stranger = element.children.find((child) => !names.includes(child.name));
  if (stranger) throw malformedXml(`${element.name} holds an element that is not known here: ${stranger.name}.`);
}

/** S3's MalformedXML, with the reason behind its standard words. */
export function malformedXml(message: string): ArtefactError {
  return new ArtefactError(
    'MalformedBody',
    `The XML you provided was not well-formed or did not validate against our published schema. ${message}`,
  );
}

function decoded(decoder: TextDecoder, piece: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(piece, { stream });
  } catch {
    throw malformedXml('It must be UTF-8.');
  }
}

interface Reader {
  read(piece: string): void;
  end(roots: readonly string[]): XmlElement;
}

/** Counts what costs more to read than its bytes. */
function createQuota() {
  let comments = 0;
  let references = 0;
  let attributes = 0;
  return {
    tag() {
      attributes = 0;
    },
    attribute() {
      if (++attributes > XML_LIMITS.attributes) throw malformedXml('An element has too many attributes.');
    },
    comment() {
      if (++comments > XML_LIMITS.comments) throw malformedXml('It has too many comments.');
    },
    references(piece: string) {
      for (let at = piece.indexOf('&'); at >= 0; at = piece.indexOf('&', at + 1)) references += 1;
      if (references > XML_LIMITS.references) throw malformedXml('It has too many references.');
    },
  };
}

/** Reads `document`, which it is given piece by piece. */
function createReader(document: Uint8Array): Reader {
  // Where CDATA would make the replacement ambiguous, XML 1.0 rules.
  const namesControls = Buffer.from(document.buffer, document.byteOffset, document.byteLength).indexOf('<![CDATA[') < 0;
  const parser = new SaxesParser({ position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  const open: Element[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  parser.on('error', () => {
    throw malformedXml('It is not well-formed.');
  });
  parser.on('doctype', () => {
    throw malformedXml('A DOCTYPE is not accepted.');
  });
  parser.on('processinginstruction', () => {
    throw malformedXml('Processing instructions are not accepted.');
  });
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') throw malformedXml('Its encoding must be UTF-8.');
  });
  const quota = createQuota();
  parser.on('comment', () => quota.comment());
  parser.on('opentagstart', () => quota.tag());
  parser.on('attribute', () => quota.attribute());
  parser.on('opentag', (tag) => {
    if (++elements > XML_LIMITS.elements) throw malformedXml('It has too many elements.');
    if (open.length >= XML_LIMITS.depth) throw malformedXml('It is nested too deeply.');
    if (tag.name.length > XML_LIMITS.nameLength) throw malformedXml('An element name is too long.');
    open.push(new Element(tag.name.slice(tag.name.indexOf(':') + 1)));
  });
  const addText = (piece: string): void => {
    const element = open.at(-1);
    if (!element) return;
    element.text += piece;
    if (element.text.length > XML_LIMITS.textLength) throw malformedXml('The text of an element is too long.');
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const done = open.pop()!;
    done.close();
    const parent = open.at(-1);
    if (parent) parent.add(done);
    else root = done;
  });
  let prolog = 0;
  return {
    read(piece) {
      quota.references(piece);
      parser.write(namesControls ? nameControlReferences(piece, parser.ENTITIES) : piece);
      if (elements === 0 && (prolog += piece.length) > MOST_PROLOG) throw malformedXml('It does not begin with an element.');
    },
    end(roots) {
      parser.close();
      if (!root) throw malformedXml('It has no element.');
      if (!roots.includes(root.name)) throw malformedXml(`The root element must be ${roots.join(' or ')}.`);
      return root;
    },
  };
}

/**
 * A class, since a document may have 100,000 of them: as objects with functions of their own they cost the garbage collector pauses
 * that are longer than any slice.
 */
class Element implements XmlElement {
  readonly name: string;
  text = '';
  children: XmlElement[] = LEAF;

  constructor(name: string) {
    this.name = name;
  }

  add(child: XmlElement): void {
    if (this.children === LEAF) this.children = [child];
    else this.children.push(child);
  }

  close(): void {
    if (this.children === LEAF) return;
    if (this.text.trim() !== '') throw malformedXml(`${this.name} holds text between its elements.`);
    this.text = '';
  }

  child(name: string): XmlElement | undefined {
    const found = this.all(name);
    if (found.length > 1) throw malformedXml(`${this.name} must hold only one ${name}.`);
    return found[0];
  }

  all(name: string): readonly XmlElement[] {
    return this.children.filter((child) => child.name === name);
  }

  required(name: string): XmlElement {
    const found = this.child(name);
    if (!found) throw malformedXml(`${this.name} must hold ${name}.`);
    return found;
  }
}

/** The children of all that have none. */
const LEAF: XmlElement[] = [];

const CHARACTER_REFERENCE = /&#(?:x0*([0-9a-f]{1,4})|0*([0-9]{1,5}));/gi;
const CONTROL_CHARACTER = new RegExp(`[${CONTROL}]`);

/**
 * Lets `&#x1;` and its like through, which XML 1.0 forbids and S3 itself writes: keys may hold control characters, and a
 * client must be able to name them when it deletes.
 */
function nameControlReferences(text: string, entities: Record<string, string>): string {
  return text.replace(CHARACTER_REFERENCE, (reference, hex?: string, decimal?: string) => {
    const character = String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16));
    if (character.length > 1 || !CONTROL_CHARACTER.test(character) || character === '\r') return reference;
    const name = `control-${character.charCodeAt(0).toString(16)}`;
    entities[name] = character;
    return `&${name};`;
  });
}
