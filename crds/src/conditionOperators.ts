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
  const parts = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const operator = parts?.[2] ?? '';
  const comparison = OPERATORS.get(operator);
  const ifExists = parts?.[3] !== undefined;
  if (!comparison || (comparison === 'presence' && (ifExists || parts?.[1]))) return undefined;
  const qualifier = parts?.[1] as OperatorName['qualifier'];
  return { operator, comparison, ifExists, ...(qualifier && { qualifier }) };
}

/** True when the operator can say something about the key's values. */
export function fits(comparison: Comparison, key: ConditionKey): boolean {
  return FITTING[comparison].includes(key.values);
}

/** Why a value cannot be compared so; undefined when it can. */
export function valueProblem(comparison: Comparison, value: string): string | undefined {
  switch (comparison) {
    case 'number':
      return /^-?\d{1,20}(\.\d{1,20})?$/.test(value) ? undefined : 'is not a number';
    case 'date':
      return policyTime(value) === undefined ? 'is not a date (ISO 8601, or seconds since 1970)' : undefined;
    case 'boolean':
    case 'presence':
      return /^(true|false)$/i.test(value) ? undefined : 'is neither true nor false';
    case 'address':
      return isNetwork(value) ? undefined : 'is not an IP address or network (CIDR)';
    case 'text':
      return undefined;
  }
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
