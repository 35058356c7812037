/**
 * Reads what comes from outside (query parameters, path segments, members of a JSON body) field by field.
 * What a row does not list is refused by name: a misspelt parameter must never be quietly ignored.
 */
import { ArtefactError } from '../../errors.ts';

/** Reads one value, or throws `InvalidArgument` that names it. `given` is undefined for what was not sent. */
export type Reader<T> = (given: unknown, name: string) => T;

/** A reader for each field of `T`. */
export type Fields<T> = { readonly [Name in keyof T]-?: Reader<T[Name]> };

/** What a field is called in messages. */
export type Noun = 'query parameter' | 'path segment' | 'field';

/**
 * Reads every field of `given`, and answers those that have a value. Throws `InvalidArgument` for a name that is not
 * listed, and what the readers throw. `parent` stands before names in messages.
 */
export function readFields<T>(fields: Fields<T>, given: ReadonlyMap<string, unknown>, noun: Noun, parent = ''): T {
  const full = (name: string): string => (parent === '' ? name : `${parent}.${name}`);
  for (const name of given.keys()) {
    if (!Object.hasOwn(fields, name)) throw invalid(full(name), `There is no ${noun} ${quoted(full(name))}: ${known(fields)}.`);
  }
  const names = Object.keys(fields) as (keyof T & string)[];
  const read = names.map((name) => [name, fields[name](given.get(name), full(name))] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as T;
}

/** May be left out. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (given, name) => (given === undefined ? undefined : reader(given, name));
}

/** May be left out, and is then `fallback`. */
export function withDefault<T>(fallback: T, reader: Reader<T>): Reader<T> {
  return (given, name) => (given === undefined ? fallback : reader(given, name));
}

/** A string whose UTF-8 form has `min`–`max` bytes, well-formed and without U+0000. */
export function text({ min = 1, max }: { readonly min?: number; readonly max: number }): Reader<string> {
  return (given, name) => {
    if (typeof given !== 'string') throw missingOr(given, name, 'a string');
    const size = Buffer.byteLength(given);
    if (size < min || size > max) throw invalid(name, `${quoted(name)} must have ${min} to ${max} bytes.`);
    if (given.includes('\0') || !given.isWellFormed()) throw invalid(name, `${quoted(name)} must be well-formed text without U+0000.`);
    return given;
  };
}

/** A string of which all of `pattern` is required; `what` says so in words. */
export function matching(pattern: RegExp, max: number, what: string): Reader<string> {
  const read = text({ min: 0, max });
  return (given, name) => {
    const value = read(given, name);
    if (!pattern.test(value)) throw invalid(name, `${quoted(name)} must be ${what}.`);
    return value;
  };
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return (given, name) => {
    const word = words.find((candidate) => candidate === given);
    if (word === undefined) throw missingOr(given, name, `one of ${words.join(', ')}`);
    return word;
  };
}

/** A whole JSON number from `min` to `max`. */
export function wholeNumber(min: number, max: number): Reader<number> {
  return (given, name) => {
    if (typeof given === 'number' && Number.isSafeInteger(given) && given >= min && given <= max) return given;
    throw missingOr(given, name, `a whole number from ${min} to ${max}`);
  };
}

/** The same, as digits in a query. */
export function digits(min: number, max: number): Reader<number> {
  const read = wholeNumber(min, max);
  return (given, name) => read(typeof given === 'string' && /^[0-9]{1,15}$/.test(given) ? Number(given) : given, name);
}

/** `true` or `false` in a query; present without a value is `true`. */
export const flag: Reader<boolean> = (given, name) => {
  if (given === undefined || given === 'false') return false;
  if (given === 'true' || given === '') return true;
  throw invalid(name, `${quoted(name)} must be true or false.`);
};

/** An array of `min`–`max` elements. */
export function listOf<T>(reader: Reader<T>, { min = 0, max }: { readonly min?: number; readonly max: number }): Reader<readonly T[]> {
  return (given, name) => {
    if (!Array.isArray(given)) throw missingOr(given, name, 'an array');
    if (given.length < min || given.length > max) throw invalid(name, `${quoted(name)} must have ${min} to ${max} elements.`);
    return given.map((element: unknown, index) => reader(element, `${name}[${index}]`));
  };
}

/** An object with just these fields. */
export function objectOf<T>(fields: Fields<T>): Reader<T> {
  return (given, name) => readFields(fields, membersOf(given, name), 'field', name);
}

/** An object of strings by free names: each name read by `names`, each value by `values`, at most `max` of them. */
export function mapOf(names: Reader<string>, values: Reader<string>, max: number): Reader<Readonly<Record<string, string>>> {
  return (given, name) => {
    const members = [...membersOf(given, name)];
    if (members.length > max) throw invalid(name, `${quoted(name)} may have at most ${max} members.`);
    return Object.fromEntries(members.map(([key, value]) => [names(key, `name in ${name}`), values(value, `${name}.${key}`)]));
  };
}

/** An `InvalidArgument` about one field. */
export function invalid(name: string, message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, { details: { field: shortened(name) } });
}

function membersOf(given: unknown, name: string): ReadonlyMap<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw missingOr(given, name, 'an object');
  return new Map(Object.entries(given));
}

function missingOr(given: unknown, name: string, what: string): ArtefactError {
  if (name === '') return new ArtefactError('MalformedBody', `The body must be ${what}.`);
  return invalid(name, given === undefined ? `${quoted(name)} is missing: it must be ${what}.` : `${quoted(name)} must be ${what}.`);
}

function known(fields: object): string {
  const names = Object.keys(fields);
  return names.length === 0 ? 'none is taken' : `known are ${names.join(', ')}`;
}

function quoted(name: string): string {
  return `'${shortened(name)}'`;
}

/** Names come from outside too: no message grows with them. */
function shortened(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
