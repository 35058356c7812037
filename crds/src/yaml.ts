/** YAML (and JSON, which is YAML) as data, with the lines that its parts stand on. */
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  stringify,
  type Document,
  type ErrorCode,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** Where in a document: property names and list positions, outermost first. */
export type Path = readonly (string | number)[];

/** What is wrong, and where. The reason quotes nothing of the text, which may hold secrets. */
export interface LocatedReason {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

/** One document of a YAML stream. */
export interface LocatedDocument {
  /** Plain data as JSON has it, shared with nobody. */
  readonly value: unknown;
  /** The line it begins on, from 1. */
  readonly line: number;
  /** The line of the nearest thing to `path` that is there. */
  lineOf(path: Path): number;
}

/** How many times aliases may be expanded in one document: enough for people, not for a bomb. */
const MAX_ALIASES = 50;
const MAX_REASONS = 10;

/** Our own words: the parser's messages quote the text. */
const REASONS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_ALIAS: 'an alias is written wrongly',
  BAD_DQ_ESCAPE: 'a double-quoted string has an unknown escape',
  BAD_INDENT: 'the indentation does not fit what is around it',
  BAD_SCALAR_START: 'a value begins with a character that must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a value holds another mapping on its line; quote it or indent it',
  BLOCK_IN_FLOW: 'a block stands within { } or [ ]',
  DUPLICATE_KEY: 'a key is given twice',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over more than one line, or its colon is missing',
  NON_STRING_KEY: 'a key is not a string',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'tabs must not be used to indent',
  TAG_RESOLVE_FAILED: 'a value has an unknown tag',
  UNEXPECTED_TOKEN: 'there is something that does not belong here',
};

/** Reads every document of a stream. Empty documents are left out; after a reason, what was read counts for nothing. */
export function readYaml(text: string): { readonly documents: readonly LocatedDocument[]; readonly reasons: readonly LocatedReason[] } {
  const lines = new LineCounter();
  const documents: LocatedDocument[] = [];
  const reasons: LocatedReason[] = [];
  for (const document of parse(text, lines)) {
    const found = reasonsOf(document, lines);
    if (found.length > 0) reasons.push(...found);
    else if (document.contents !== null) collect(document, lines, { documents, reasons });
  }
  return { documents, reasons: reasons.slice(0, MAX_REASONS) };
}

function parse(text: string, lineCounter: LineCounter): readonly Document[] {
  const options = { lineCounter, prettyErrors: false, stringKeys: true, uniqueKeys: true, logLevel: 'silent' } as const;
  const parsed = parseAllDocuments(text, options);
  return Array.isArray(parsed) ? parsed : [];
}

function reasonsOf(document: Document, lines: LineCounter): readonly LocatedReason[] {
  return [...document.errors, ...document.warnings].map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    reason: REASONS[error.code] ?? 'this is not YAML',
  }));
}

function collect(document: Document, lines: LineCounter, into: { documents: LocatedDocument[]; reasons: LocatedReason[] }): void {
  const contents = document.contents as Node;
  const line = lines.linePos(contents.range?.[0] ?? 0).line;
  try {
    const value: unknown = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: MAX_ALIASES })));
    if (value !== null) into.documents.push({ value, line, lineOf: (path) => lines.linePos(offsetOf(contents, path)).line });
  } catch {
    into.reasons.push({ line, reason: 'an alias has no anchor, contains itself, or aliases are expanded too often' });
  }
}

/** Where `path` begins, or the last part of it that is there. */
function offsetOf(contents: Node, path: Path): number {
  let node: unknown = contents;
  let offset = contents.range?.[0] ?? 0;
  for (const step of path) {
    const found = isMap(node) ? inMap(node, step) : isSeq(node) ? inList(node, step) : undefined;
    if (!found) return offset;
    offset = found.at?.range?.[0] ?? offset;
    node = found.node;
  }
  return offset;
}

interface Found {
  /** What is shown for it: a field's name, a list's item. */
  readonly at: Node | undefined;
  readonly node: unknown;
}

function inMap({ items }: YAMLMap, step: string | number): Found | undefined {
  const pair = items.find((item) => isScalar(item.key) && item.key.value === step);
  return pair && { at: pair.key as Node, node: pair.value };
}

function inList({ items }: YAMLSeq, step: string | number): Found | undefined {
  const item = typeof step === 'number' ? (items[step] as Node | undefined) : undefined;
  return item && { at: item, node: item };
}

/** Plain data as YAML. */
export function writeYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
