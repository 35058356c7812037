/** The condition operators of policy documents, and what their values may be. */
import { isIP } from 'node:net';
import type { ConditionKey, KeyValues } from './conditionKeys.ts';

/** How an operator compares. */
export type Comparison = 'text' | 'number' | 'date' | 'boolean' | 'address' | 'presence';

const OPERATORS: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ...named('text', [
    'StringEquals',
    'StringNotEquals',
    'StringEqualsIgnoreCase',
    'StringNotEqualsIgnoreCase',
    'StringLike',
    'StringNotLike',
  ]),
  ...named('text', ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike']),
  ...named('number', comparisons('Numeric')),
  ...named('date', comparisons('Date')),
  ...named('boolean', ['Bool']),
  ...named('address', ['IpAddress', 'NotIpAddress']),
  ...named('presence', ['Null']),
]);

const FITTING: Readonly<Record<Comparison, readonly KeyValues[]>> = {
  text: ['text', 'number', 'date', 'epoch', 'boolean', 'address', 'any'],
  number: ['number', 'epoch', 'any'],
  date: ['date', 'epoch', 'any'],
  boolean: ['boolean', 'any'],
  address: ['address', 'any'],
  presence: ['text', 'number', 'date', 'epoch', 'boolean', 'address', 'any'],
};

/** An operator as a document writes it, taken apart. */
export interface OperatorName {
  readonly operator: string;
  readonly comparison: Comparison;
  readonly qualifier?: 'ForAnyValue' | 'ForAllValues';
  readonly ifExists: boolean;
}

/** Takes `ForAnyValue:StringLikeIfExists` apart; undefined for an unknown operator. `Null` takes no `IfExists`. */
export function operatorOf(name: string): OperatorName | undefined {
  const [, before, operator = '', after] = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? [];
  const comparison = OPERATORS.get(operator);
  const ifExists = after !== undefined;
  const qualifier = before as OperatorName['qualifier'];
  if (!comparison || (comparison === 'presence' && (ifExists || qualifier))) return undefined;
  return { operator, comparison, ifExists, ...(qualifier && { qualifier }) };
}

/** True when the operator can say something about the key's values. */
export function fits(comparison: Comparison, key: ConditionKey): boolean {
  return FITTING[comparison].includes(key.values);
}

/** What values must be, in words for who wrote another. */
const FORMS: Readonly<Record<Comparison, readonly [fits: (value: string) => boolean, otherwise: string]>> = {
  text: [() => true, ''],
  number: [(value) => /^-?\d{1,20}(\.\d{1,20})?$/.test(value), 'is not a number'],
  date: [(value) => policyTime(value) !== undefined, 'is not a date (ISO 8601, or seconds since 1970)'],
  boolean: [(value) => /^(true|false)$/i.test(value), 'is neither true nor false'],
  presence: [(value) => /^(true|false)$/i.test(value), 'is neither true nor false'],
  address: [isNetwork, 'is not an IP address or network (CIDR)'],
};

/** Why a value cannot be compared so; undefined when it can. */
export function valueProblem(comparison: Comparison, value: string): string | undefined {
  const [isForm, otherwise] = FORMS[comparison];
  return isForm(value) ? undefined : otherwise;
}

/** A date of a policy or a request, in ms since the epoch; undefined when it is none. */
export function policyTime(text: string): number | undefined {
  if (/^\d{1,11}(\.\d+)?$/.test(text) && text.length > 4) return Number(text) * 1000;
  if (!/^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function comparisons(kind: string): readonly string[] {
  return ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map((how) => kind + how);
}

function named(comparison: Comparison, operators: readonly string[]): readonly (readonly [string, Comparison])[] {
  return operators.map((operator) => [operator, comparison] as const);
}
