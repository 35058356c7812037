/** The language of POST policies: a document of conditions that every field of a form must be covered by. */
import { ArtefactError } from '../errors.ts';

const MAX_POLICY = 20 * 1024;
const MAX_CONDITIONS = 1000;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;

/** One condition; `text` is how S3 shows it. Field names are lower-cased. */
export type PolicyCondition =
  | { readonly operator: 'eq' | 'starts-with'; readonly field: string; readonly value: string; readonly text: string }
  | { readonly operator: 'content-length-range'; readonly min: number; readonly max: number };

export interface PostPolicy {
  /** Ms since the epoch. */
  readonly expires: number;
  readonly conditions: readonly PolicyCondition[];
}

/** Sizes in bytes, both inclusive. */
export interface ContentLengthRange {
  readonly min: number;
  readonly max: number;
}

/** Reads base64 of the JSON document; throws `InvalidPolicy` (S3's InvalidPolicyDocument). */
export function parsePostPolicy(base64: string): PostPolicy {
  if (base64.length > MAX_POLICY) throw invalid(`the policy is longer than ${MAX_POLICY} bytes.`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64.replaceAll(/\s/g, ''))) throw invalid('invalid Base64 encoding.');
  const document = parseObject(Buffer.from(base64, 'base64').toString('utf8'));
  const unknown = Object.keys(document).find((name) => name !== 'expiration' && name !== 'conditions');
  if (unknown !== undefined) throw invalid(`Unexpected: '${printable(unknown)}'`);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalid('Policy missing expiration.');
  if (conditions === undefined) throw invalid('Policy missing conditions.');
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  if (conditions.length > MAX_CONDITIONS) throw invalid(`more than ${MAX_CONDITIONS} conditions.`);
  return { expires: parseExpiration(expiration), conditions: conditions.map(parseCondition) };
}

function parseExpiration(expiration: unknown): number {
  const expires = typeof expiration === 'string' && TIME.test(expiration) ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expires)) throw invalid(`Invalid 'expiration' value: ${printable(JSON.stringify(expiration))}`);
  return expires;
}

/**
 * Checks fields (by lower-cased name, `bucket` among them) against all conditions, and that no field but the exempt
 * ones goes uncovered. Answers the sizes that are allowed, if the policy says. Throws `AccessDenied` in S3's words.
 */
export function requirePolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, now: number): ContentLengthRange | undefined {
  if (now >= policy.expires) throw denied('Policy expired.');
  const covered = new Set<string>();
  let range: ContentLengthRange | undefined;
  for (const condition of policy.conditions) {
    if (condition.operator === 'content-length-range') {
      range = { min: Math.max(condition.min, range?.min ?? 0), max: Math.min(condition.max, range?.max ?? Infinity) };
      continue;
    }
    if (!holds(condition, fields.get(condition.field))) throw denied(`Policy Condition failed: ${condition.text}`);
    covered.add(condition.field);
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !isExempt(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${printable(extra.join(', '))}`);
  return range;
}

function holds(condition: Extract<PolicyCondition, { field: string }>, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (condition.operator === 'eq') return value === condition.value;
  const values = condition.field === 'content-type' ? value.split(',') : [value];
  return values.every((each) => each.startsWith(condition.value));
}

function isExempt(name: string): boolean {
  return ['x-amz-signature', 'file', 'policy'].includes(name) || name.startsWith('x-ignore-');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid('Invalid JSON.', cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw invalid('Invalid JSON.');
}

function parseCondition(condition: unknown): PolicyCondition {
  if (Array.isArray(condition)) return parseList(condition as readonly unknown[]);
  if (typeof condition !== 'object' || condition === null) throw invalid('Invalid Condition: must be a List or Object.');
  const entries = Object.entries(condition);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  }
  const [name, value] = entry as [string, unknown];
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.');
  return fieldCondition('eq', `$${name}`, value);
}

function parseList(list: readonly unknown[]): PolicyCondition {
  const [operation, first, second] = list;
  if (typeof operation !== 'string') throw invalid('Invalid Condition: missing operation identifier.');
  const operator = operation.toLowerCase();
  if (operator !== 'eq' && operator !== 'starts-with' && operator !== 'content-length-range') {
    throw invalid(`Invalid Condition: unknown operation '${printable(operation)}'.`);
  }
  if (list.length !== 3) throw invalid(`Invalid ${operator}: wrong number of arguments.`);
  if (operator === 'content-length-range') return { operator, min: parseBound(first), max: parseBound(second) };
  if (typeof first !== 'string' || typeof second !== 'string') throw invalid('Invalid JSON.');
  return fieldCondition(operator, first, second);
}

/** A name without `$` names no field, so its condition can never hold. */
function fieldCondition(operator: 'eq' | 'starts-with', name: string, value: string): PolicyCondition {
  const text = printable(`["${operator}", ${JSON.stringify(name)}, ${JSON.stringify(value)}]`);
  return { operator, field: name.startsWith('$') ? name.slice(1).toLowerCase() : `\u0000${name}`, value, text };
}

function parseBound(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw invalid('Invalid content-length-range: bounds must be whole numbers of bytes.');
}

function printable(text: string): string {
  return text.slice(0, 512).replaceAll(/\p{Cc}/gu, '?');
}

function invalid(detail: string, cause?: unknown): ArtefactError {
  return new ArtefactError('InvalidPolicy', `Invalid Policy: ${detail}`, { details: { s3Code: 'InvalidPolicyDocument' }, cause });
}

function denied(detail: string): ArtefactError {
  return new ArtefactError('AccessDenied', `Invalid according to Policy: ${detail}`);
}
