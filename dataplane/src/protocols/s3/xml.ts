/** XML as S3 writes it, from plain values. */
import { CONTROL } from './xmlTree.ts';

export { allowOnly, malformedXml, parseLongXml, parseXml, XML_LIMITS } from './xmlTree.ts';
export type { XmlElement } from './xmlTree.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** What an element holds: a value, or fields. `undefined` leaves the element out; an array repeats it. */
export type XmlContent = string | number | boolean | undefined | XmlFields | readonly XmlContent[];

/**
 * Child elements in order. A name that starts with `@` is an attribute of the element itself; under the name '' stand its
 * text, or further fields in line (an array of them gives elements of different names in the order of the array).
 */
export interface XmlFields {
  readonly [name: string]: XmlContent;
}

/** A whole document in S3's namespace. */
export function renderXml(root: string, content: XmlContent): string {
  const fields = isFields(content) ? content : { '': content };
  return DECLARATION + renderElement(root, { '@xmlns': NAMESPACE, ...fields });
}

/** A whole document without a namespace, as S3's errors are. */
export function renderPlainXml(root: string, content: XmlContent): string {
  return DECLARATION + renderElement(root, content);
}

/** Text as it stands between tags (and, in S3's habit, with `"` escaped, as in ETags). */
function escapeXml(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.toWellFormed().replace(ESCAPED, escapeCharacter);
}

const NEEDS_ESCAPE = new RegExp(`[&<>"\\u0000${CONTROL}\\ud800-\\udfff]`);
const ESCAPED = new RegExp(`[&<>"\\u0000${CONTROL}]`, 'g');
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\u0000': '\ufffd' };

/** Control characters become references, as S3 writes them: XML 1.0 has no other place for them in a key. */
function escapeCharacter(character: string): string {
  return NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16)};`;
}

function escapeAttribute(text: string): string {
  return escapeXml(text).replace(/[\t\n]/g, escapeCharacter);
}

function isFields(content: XmlContent): content is XmlFields {
  return typeof content === 'object' && !isList(content);
}

function isList(content: XmlContent): content is readonly XmlContent[] {
  return Array.isArray(content);
}

/** Listings render ten thousand elements a page, so values are told apart by the cheapest question first. */
function renderElement(name: string, content: XmlContent): string {
  if (typeof content === 'string') return `<${name}>${escapeXml(content)}</${name}>`;
  if (content === undefined) return '';
  if (typeof content !== 'object') return `<${name}>${String(content)}</${name}>`;
  if (isList(content)) return renderList(name, content);
  let attributes = '';
  let inner = '';
  for (const child in content) {
    const value = content[child];
    if (child === '') inner += renderInline(value);
    else if (child.startsWith('@')) attributes += renderAttribute(child.slice(1), value);
    else inner += renderElement(child, value);
  }
  return `<${name}${attributes}>${inner}</${name}>`;
}

function renderList(name: string, items: readonly XmlContent[]): string {
  let text = '';
  for (const item of items) text += renderElement(name, item);
  return text;
}

function renderAttribute(name: string, value: XmlContent): string {
  if (value === undefined || typeof value === 'object') return '';
  return ` ${name}="${escapeAttribute(String(value))}"`;
}

function renderInline(content: XmlContent): string {
  if (content === undefined) return '';
  if (isList(content)) return content.map(renderInline).join('');
  if (typeof content !== 'object') return escapeXml(String(content));
  return Object.entries(content)
    .map(([name, value]) => renderElement(name, value))
    .join('');
}
