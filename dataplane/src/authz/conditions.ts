/** Conditions of a policy's statement. */
import { compileWildcard, policyTime, type PolicyCondition, type WildcardPiece } from '@bonded/crds';
import ipaddr from 'ipaddr.js';
import type { Facts } from './facts.ts';
import { plainText, policyText, type Pieces, type PolicyText } from './policyText.ts';

/** True when the condition holds for a request. */
export type Condition = (facts: Facts) => boolean;

/** Whether a value of the request compares so to a value of the policy. */
type Comparison = (given: string, wanted: Pieces) => boolean;

/** By base operator; the negated ones are looked up without their `Not`. */
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  StringEquals: (given, wanted) => given === plainText(wanted),
  StringEqualsIgnoreCase: (given, wanted) => given.toLowerCase() === plainText(wanted).toLowerCase(),
  StringLike: (given, wanted) => compileWildcard(wanted).matches(given),
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: (given, wanted) => given.toLowerCase() === plainText(wanted).toLowerCase(),
  IpAddress: (given, wanted) => isWithin(given, plainText(wanted)),
  ...ordered('Numeric', (text) => (text.trim() === '' ? undefined : Number(text))),
  ...ordered('Date', policyTime),
};

const NEGATIONS: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
  NotIpAddress: 'IpAddress',
};

/**
 * Prepares a condition of a validated document. As in IAM: values of the policy are alternatives; a request with several
 * values is asked by its qualifier, and without one any of them counts; a key that the request does not have fails, unless
 * the operator is negated, has `IfExists`, or is `ForAllValues`.
 */
export function condition({ operator, qualifier, ifExists, key, values }: PolicyCondition, variables: boolean): Condition {
  if (operator === 'Null') return (facts) => values.some((value) => (value.toLowerCase() === 'true') === (facts(key) === undefined));
  const negated = Object.hasOwn(NEGATIONS, operator);
  const compare = COMPARISONS[NEGATIONS[operator] ?? operator];
  // A document that was validated has no other operator; if it had, the statement must not be passed over.
  if (!compare) throw new Error(`The operator ${operator} is not known.`);
  const texts = values.map((value) => policyText(value, variables));
  return (facts) => {
    const given = facts(key);
    if (given === undefined) return ifExists || (qualifier === undefined ? negated : qualifier === 'ForAllValues');
    const matches = (value: string): boolean => anyText(texts, facts, (wanted) => compare(value, wanted));
    if (qualifier === 'ForAnyValue') return given.some((value) => matches(value) !== negated);
    if (qualifier === 'ForAllValues') return given.every((value) => matches(value) !== negated);
    return given.some(matches) !== negated;
  };
}

function anyText(texts: readonly PolicyText[], facts: Facts, test: (wanted: Pieces) => boolean): boolean {
  return texts.some((text) => {
    const pieces = text(facts);
    return pieces !== undefined && test(pieces);
  });
}

/** A value that cannot be read compares to nothing. */
function ordered(kind: string, read: (text: string) => number | undefined): Readonly<Record<string, Comparison>> {
  const comparing = (test: (given: number, wanted: number) => boolean): Comparison => {
    return (given, wanted) => {
      const [a, b] = [read(given), read(plainText(wanted))];
      return a !== undefined && b !== undefined && test(a, b);
    };
  };
  return {
    [`${kind}Equals`]: comparing((a, b) => a === b),
    [`${kind}LessThan`]: comparing((a, b) => a < b),
    [`${kind}LessThanEquals`]: comparing((a, b) => a <= b),
    [`${kind}GreaterThan`]: comparing((a, b) => a > b),
    [`${kind}GreaterThanEquals`]: comparing((a, b) => a >= b),
  };
}

/** "Each of the six colon-delimited components of the ARN is checked separately and each can include a multi-character match wildcard." */
function arnLike(given: string, wanted: Pieces): boolean {
  const components = splitArn(given);
  const patterns = splitPieces(wanted);
  if (components.length !== 6 || patterns.length !== 6) return false;
  return components.every((component, at) => compileWildcard(patterns[at] ?? []).matches(component));
}

/** The sixth component may hold colons. */
function splitArn(arn: string): readonly string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function splitPieces(pieces: Pieces): readonly (readonly WildcardPiece[])[] {
  const components: WildcardPiece[][] = [[]];
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      components.at(-1)?.push(piece);
      continue;
    }
    const [first = '', ...rest] = piece.split(':');
    components.at(-1)?.push(first);
    for (const part of rest) {
      if (components.length < 6) components.push([part]);
      else components.at(-1)?.push(`:${part}`);
    }
  }
  return components;
}

/** An IPv4 address is itself also where it came as `::ffff:…`. */
function isWithin(given: string, network: string): boolean {
  if (!ipaddr.isValid(given)) return false;
  const address = ipaddr.process(given);
  const [range, bits] = network.includes('/') ? ipaddr.parseCIDR(network) : [ipaddr.parse(network), undefined];
  if (range.kind() !== address.kind()) return false;
  return address.match(range, bits ?? (range.kind() === 'ipv4' ? 32 : 128));
}
