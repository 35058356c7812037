/** What the readers of a policy document's parts share: where they are, and how they refuse. */

/** A policy document that is not one. `message` names the element and what to mend. */
export class PolicyRefused extends Error {
  /** Such as `Statement[0].Action`; '' for the document as a whole. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path === '' ? 'The policy document' : path} ${reason}.`);
    this.name = 'PolicyRefused';
    this.path = path;
  }
}

/** The statement that is being read. */
export interface Scope {
  /** Whose policy it is. */
  readonly bucket: string;
  /** Whether `${…}` is a variable (document version 2012-10-17). */
  readonly variables: boolean;
  /** Where the statement stands. */
  readonly path: string;
}

export type Elements = Readonly<Record<string, unknown>>;

/** The value as an object of elements. */
export function record(value: unknown, path: string): Elements {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyRefused(path, 'must be a JSON object');
  return value as Elements;
}

/** One or many: JSON's two ways to write a list of a policy. */
export function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Wildcards in one pattern: what a person means needs a few, and matching costs time for each. */
const MAX_WILDCARDS = 20;

/** The wildcards of a text. */
export function wildcardsIn(text: string): number {
  return text.match(/[*?]/g)?.length ?? 0;
}

/** A string or a list of strings, at least one. */
export function strings(value: unknown, path: string): readonly string[] {
  const list = asList(value);
  if (list.length === 0) throw new PolicyRefused(path, 'must not be empty');
  if (!list.every((item) => typeof item === 'string' && item !== ''))
    throw new PolicyRefused(path, 'must be a string or a list of strings');
  const wild = (list as readonly string[]).find((item) => wildcardsIn(item) > MAX_WILDCARDS);
  if (wild !== undefined) throw new PolicyRefused(path, `has more than ${MAX_WILDCARDS} wildcards in ${quote(wild)}`);
  return list as readonly string[];
}

/** Refuses every element that is not among the known ones. Their names are case-sensitive. */
export function refuseUnknown(elements: Elements, known: readonly string[], path: string): void {
  const unknown = Object.keys(elements).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new PolicyRefused(path, `has an unknown element ${quote(unknown)}`);
}

/** Which of an element and its negation is there; exactly one must be. */
export function eitherOf(
  elements: Elements,
  name: string,
  path: string,
): { readonly not: boolean; readonly value: unknown; readonly path: string } {
  const negated = `Not${name}`;
  const given = [name, negated].filter((element) => elements[element] !== undefined);
  if (given.length !== 1) throw new PolicyRefused(path, `must have exactly one of ${name} and ${negated}`);
  const not = given[0] === negated;
  return { not, value: elements[not ? negated : name], path: `${path}.${not ? negated : name}` };
}

/** What the author wrote, short enough for a message and safe in a log. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
