/** The conditions of a statement. */
import { conditionKey, type ConditionKey } from './conditionKeys.ts';
import { fits, operatorOf, valueProblem, type OperatorName } from './conditionOperators.ts';
import type { PolicyCondition, PolicyStatement } from './policy.ts';
import { actionsOf } from './policyElements.ts';
import { asList, PolicyRefused, quote, record, type Scope } from './policyReading.ts';
import { readTemplate } from './policyVariables.ts';

/** Reads a Condition block: operators, keys and values that are all known and fit one another. */
export function readConditions(value: unknown, scope: Scope): readonly PolicyCondition[] {
  const path = `${scope.path}.Condition`;
  const conditions = Object.entries(record(value, path)).flatMap(([name, keys]) => readOperator(name, keys, scope));
  const seen = new Set<string>();
  for (const { operator, qualifier, ifExists, key } of conditions) {
    const identity = [operator, qualifier, ifExists, key].join();
    if (seen.has(identity)) throw new PolicyRefused(path, `asks twice for ${quote(key)} with ${operator}`);
    seen.add(identity);
  }
  return conditions;
}

function readOperator(name: string, keys: unknown, scope: Scope): readonly PolicyCondition[] {
  const path = `${scope.path}.Condition`;
  const operator = operatorOf(name);
  if (!operator) throw new PolicyRefused(path, `has an unknown operator ${quote(name)}`);
  const entries = Object.entries(record(keys, `${path}.${name}`));
  if (entries.length === 0) throw new PolicyRefused(`${path}.${name}`, 'must name a condition key');
  return entries.map(([key, values]) => readKey({ name, ...operator }, key, { values, scope }));
}

function readKey(
  operator: OperatorName & { readonly name: string },
  name: string,
  { values, scope }: { readonly values: unknown; readonly scope: Scope },
): PolicyCondition {
  const path = `${scope.path}.Condition.${operator.name}`;
  const key = conditionKey(name);
  if (!key) throw new PolicyRefused(path, `has an unknown condition key ${quote(name)}`);
  if (!fits(operator.comparison, key)) throw new PolicyRefused(path, `cannot be asked of ${quote(name)}, whose values are of another kind`);
  const list = asList(values).map((value) => readValue(value, `${path}.${name}`, operator, scope));
  if (list.length === 0) throw new PolicyRefused(`${path}.${name}`, 'must have a value');
  return {
    operator: operator.operator,
    ifExists: operator.ifExists,
    key: name.toLowerCase(),
    values: list,
    ...(operator.qualifier && { qualifier: operator.qualifier }),
  };
}

function readValue(value: unknown, path: string, { comparison }: OperatorName, { variables }: Scope): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new PolicyRefused(path, 'must have strings, numbers or booleans as values');
  }
  const text = String(value);
  const template = comparison === 'text' ? readTemplate(text, variables) : [text];
  const problem = 'problem' in template ? template.problem : valueProblem(comparison, text);
  if (problem !== undefined) throw new PolicyRefused(path, problem);
  return text;
}

/** Refuses a condition on a key that no request of the statement's actions can have, such as s3:prefix of s3:GetObject. */
export function checkKeys({ actions, conditions }: PolicyStatement, { path }: Scope): void {
  if (actions.not) return;
  const named = new Set(actions.patterns.flatMap(actionsOf));
  for (const { key } of conditions) {
    const known = conditionKey(key) as ConditionKey;
    if (known.actions === undefined || known.actions.some((action) => named.has(action))) continue;
    throw new PolicyRefused(`${path}.Condition`, `asks for ${quote(key)}, which none of the statement's actions has`);
  }
}
