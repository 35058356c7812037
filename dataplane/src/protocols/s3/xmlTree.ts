/**
 * XML that comes in, read into a tree of elements with hard limits. Nothing outside the document is ever read: DOCTYPE,
 * entities and processing instructions are refused.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SaxesParser } from 'saxes';
import { ArtefactError } from '../../errors.ts';

/** The limits of a document that comes in; its size in bytes is limited by whoever reads it. */
export const XML_LIMITS = { depth: 16, elements: 100_000, attributes: 16, nameLength: 128, textLength: 16_384 } as const;

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
  const text = decodeUtf8(bytes);
  const reader = createReader(text);
  reader.read(text);
  return reader.end(roots);
}

/** The same in slices, with a turn of the event loop between them: a document of megabytes takes longer than others shall wait. */
export async function parseLongXml(bytes: Uint8Array, roots: readonly string[]): Promise<XmlElement> {
  const text = decodeUtf8(bytes);
  const reader = createReader(text);
  for (let at = 0; at < text.length;) {
    const end = sliceEnd(text, at);
    reader.read(text.slice(at, end));
    at = end;
    if (at < text.length) await nextTurn();
  }
  return reader.end(roots);
}

/** Characters of a slice: some milliseconds, whatever they are. */
const SLICE = 32 * 1024;

/** Where the slice that begins at `at` ends: before markup or a reference, so that none is cut in two, where one of them begins in it. */
function sliceEnd(text: string, at: number): number {
  if (at + SLICE >= text.length) return text.length;
  const slice = text.slice(at, at + SLICE);
  const cut = Math.max(slice.lastIndexOf('<'), slice.lastIndexOf('&'));
  return at + (cut > 0 ? cut : SLICE);
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

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformedXml('It must be UTF-8.');
  }
}

interface Reader {
  read(slice: string): void;
  end(roots: readonly string[]): XmlElement;
}

/** Reads `document`, which it is given slice by slice. */
function createReader(document: string): Reader {
  // Where CDATA would make the replacement ambiguous, XML 1.0 rules.
  const namesControls = !document.includes('<![CDATA[');
  const parser = new SaxesParser({ position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  const open: Open[] = [];
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
  let attributes = 0;
  parser.on('opentagstart', () => (attributes = 0));
  parser.on('attribute', () => {
    if (++attributes > XML_LIMITS.attributes) throw malformedXml('An element has too many attributes.');
  });
  parser.on('opentag', (tag) => {
    if (++elements > XML_LIMITS.elements) throw malformedXml('It has too many elements.');
    if (open.length >= XML_LIMITS.depth) throw malformedXml('It is nested too deeply.');
    if (tag.name.length > XML_LIMITS.nameLength) throw malformedXml('An element name is too long.');
    open.push({ name: tag.name.slice(tag.name.indexOf(':') + 1), text: '', children: [] });
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
    const done = finish(open.pop()!);
    const parent = open.at(-1);
    if (parent) parent.children.push(done);
    else root = done;
  });
  return {
    read: (slice) => void parser.write(namesControls ? nameControlReferences(slice, parser.ENTITIES) : slice),
    end(roots) {
      parser.close();
      if (!root) throw malformedXml('It has no element.');
      if (!roots.includes(root.name)) throw malformedXml(`The root element must be ${roots.join(' or ')}.`);
      return root;
    },
  };
}

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

function finish({ name, text, children }: Open): XmlElement {
  if (children.length > 0 && text.trim() !== '') throw malformedXml(`${name} holds text between its elements.`);
  const all = (wanted: string): readonly XmlElement[] => children.filter((child) => child.name === wanted);
  const child = (wanted: string): XmlElement | undefined => {
    const found = all(wanted);
    if (found.length > 1) throw malformedXml(`${name} must hold only one ${wanted}.`);
    return found[0];
  };
  const required = (wanted: string): XmlElement => {
    const found = child(wanted);
    if (!found) throw malformedXml(`${name} must hold ${wanted}.`);
    return found;
  };
  return { name, text: children.length > 0 ? '' : text, children, child, all, required };
}

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
