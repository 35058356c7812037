/**
 * Reads an S3 policy document. Whatever it does not know is refused by name: an element, action, operator, condition key,
 * principal or resource that were ignored would be a rule that its author believes in and nobody enforces.
 */
import type { PolicyDocument, PolicyStatement } from './policy.ts';
import { duplicateMember } from './duplicateMember.ts';
import { checkApplies, readActions, readPrincipals, readResources } from './policyElements.ts';
import { checkKeys, readConditions } from './policyConditions.ts';
import { asList, PolicyRefused, quote, record, refuseUnknown, wildcardsIn, type Scope } from './policyReading.ts';

/** The largest document, in bytes of JSON (as in S3: 20 KiB). */
export const MAX_POLICY_BYTES = 20 * 1024;

/** Wildcards in a whole document: every request is held to each of them. */
const MAX_WILDCARDS = 300;

const ELEMENTS = ['Version', 'Id', 'Statement'];
const STATEMENT_ELEMENTS = ['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** Reads the JSON text of a policy of `bucket`. Throws `PolicyRefused`. */
export function parsePolicyDocument(text: string, bucket: string): PolicyDocument {
  const value = parseJson(text);
  const twice = duplicateMember(text);
  if (twice !== undefined) throw new PolicyRefused('', `has the element ${quote(twice)} twice`);
  return readPolicyDocument(value, bucket);
}

/** The same for a document that is data already. Throws `PolicyRefused`. */
export function readPolicyDocument(value: unknown, bucket: string): PolicyDocument {
  refuseOversized(written(value));
  const document = record(value, '');
  refuseUnknown(document, ELEMENTS, '');
  const version = document.Version ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') throw new PolicyRefused('Version', 'is 2012-10-17 or 2008-10-17');
  if (document.Id !== undefined && typeof document.Id !== 'string') throw new PolicyRefused('Id', 'must be a string');
  const statements = asList(document.Statement).map((statement, index) =>
    readStatement(statement, { bucket, variables: version === '2012-10-17', path: `Statement[${index}]` }),
  );
  if (statements.length === 0) throw new PolicyRefused('Statement', 'must hold at least one statement');
  refuseRepeatedSids(statements);
  return { version, statements, ...(typeof document.Id === 'string' && { id: document.Id }) };
}

function refuseOversized(text: string): void {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) throw tooLarge();
  if (wildcardsIn(text) > MAX_WILDCARDS) throw new PolicyRefused('', `has more than ${MAX_WILDCARDS} wildcards`);
}

/** As JSON, which cannot be written of what nests by the thousand. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value ?? null);
  } catch {
    throw new PolicyRefused('', 'is nested too deeply');
  }
}

function readStatement(value: unknown, scope: Scope): PolicyStatement {
  const statement = record(value, scope.path);
  refuseUnknown(statement, STATEMENT_ELEMENTS, scope.path);
  const { Sid: sid, Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyRefused(`${scope.path}.Effect`, 'is Allow or Deny');
  if (sid !== undefined && (typeof sid !== 'string' || sid.length > 128)) {
    throw new PolicyRefused(`${scope.path}.Sid`, 'must be a string of at most 128 characters');
  }
  const read: PolicyStatement = {
    ...(sid !== undefined && { sid }),
    effect,
    principals: readPrincipals(statement, effect, scope),
    actions: readActions(statement, scope),
    resources: readResources(statement, scope),
    conditions: statement.Condition === undefined ? [] : readConditions(statement.Condition, scope),
  };
  checkApplies(read, scope);
  checkKeys(read, scope);
  return read;
}

function refuseRepeatedSids(statements: readonly PolicyStatement[]): void {
  const seen = new Set<string>();
  statements.forEach(({ sid }, index) => {
    if (sid === undefined || sid === '') return;
    if (seen.has(sid)) throw new PolicyRefused(`Statement[${index}].Sid`, 'is the Sid of another statement too');
    seen.add(sid);
  });
}

function parseJson(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) throw tooLarge();
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyRefused('', 'is not JSON');
  }
}

function tooLarge(): PolicyRefused {
  return new PolicyRefused('', `has more than ${MAX_POLICY_BYTES} bytes`);
}
