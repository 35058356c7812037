/** Who, what and where of a statement. */
import { compileWildcard } from './pattern.ts';
import type { PolicyPrincipal, PolicyStatement } from './policy.ts';
import { eitherOf, PolicyRefused, quote, record, strings, type Elements, type Scope } from './policyReading.ts';
import { readTemplate } from './policyVariables.ts';
import { actionScope, isAccountAction, POLICY_ACTIONS, type ActionScope } from './s3Actions.ts';

const ARN = 'arn:aws:s3:::';
const ROLES = ['Reader', 'Publisher', 'Maintainer', 'Signer', 'Owner'];
const FORMS = 'write "*", {"AWS": access key ids}, {"OIDC": "<issuer>|<sub>"} or {"Role": role names}';

/** Reads Principal or NotPrincipal. `NotPrincipal` goes with Deny only, as IAM asks: with Allow it would let in the whole world but some. */
export function readPrincipals(statement: Elements, effect: 'Allow' | 'Deny', scope: Scope): PolicyStatement['principals'] {
  const { not, value, path } = eitherOf(statement, 'Principal', scope.path);
  if (not && effect === 'Allow') throw new PolicyRefused(path, 'goes with Deny only; name whom you allow in Principal');
  if (value === '*') return { not, any: true, names: [] };
  if (typeof value === 'string') throw new PolicyRefused(path, `has a form that is not known; ${FORMS}`);
  const groups = Object.entries(record(value, path));
  if (groups.length === 0) throw new PolicyRefused(path, `must name somebody; ${FORMS}`);
  const names = groups.flatMap(([type, values]) => strings(values, `${path}.${type}`).map((name) => readPrincipal(type, name, path)));
  return { not, any: names.includes('*'), names: names.filter((name) => name !== '*') };
}

function readPrincipal(type: string, value: string, path: string): PolicyPrincipal | '*' {
  if (type === 'AWS' && value === '*') return '*';
  if (type === 'AWS' && /^[A-Za-z0-9_.-]{3,128}$/.test(value)) return { type, value };
  if (type === 'OIDC' && /^https?:\/\/[^\s|*]+\|[^*]+$/.test(value)) return { type, value };
  if (type === 'Role' && ROLES.includes(value)) return { type, value };
  throw new PolicyRefused(path, `names ${quote(value)} as ${quote(type)}, which is not known; ${FORMS}`);
}

/** Reads Action or NotAction: known actions, or patterns that some known action matches. */
export function readActions(statement: Elements, scope: Scope): PolicyStatement['actions'] {
  const { not, value, path } = eitherOf(statement, 'Action', scope.path);
  const written = strings(value, path);
  for (const action of written) {
    if (isAccountAction(action)) throw new PolicyRefused(path, `names ${quote(action)}, which is not about a bucket`);
    if (actionsOf(action.toLowerCase()).length === 0) throw new PolicyRefused(path, `names ${quote(action)}, which is no action of S3`);
  }
  return { not, patterns: written.map((action) => action.toLowerCase()) };
}

/** The known actions that a pattern matches. */
export function actionsOf(pattern: string): readonly string[] {
  if (actionScope(pattern)) return [pattern];
  const wildcard = compileWildcard(pattern);
  return POLICY_ACTIONS.filter((action) => wildcard.matches(action));
}

/** Reads Resource or NotResource: the bucket, or names in it. */
export function readResources(statement: Elements, scope: Scope): PolicyStatement['resources'] {
  const { not, value, path } = eitherOf(statement, 'Resource', scope.path);
  return { not, patterns: strings(value, path).map((arn) => readResource(arn, path, scope)) };
}

function readResource(arn: string, path: string, { bucket, variables }: Scope): string {
  if (arn === '*') return arn;
  const pattern = arn.startsWith(ARN) ? arn.slice(ARN.length) : '';
  const own = pattern === bucket || pattern === `${bucket}*` || pattern.startsWith(`${bucket}/`) || pattern === '*';
  if (!own) throw new PolicyRefused(path, `names ${quote(arn)}; write ${ARN}${bucket} or ${ARN}${bucket}/<name>`);
  const template = readTemplate(pattern, variables);
  if ('problem' in template) throw new PolicyRefused(path, template.problem);
  return pattern;
}

/**
 * Refuses a statement whose actions and resources never meet, such as s3:GetObject on a bucket's own ARN: its author means
 * something else than it says.
 */
export function checkApplies({ actions, resources }: PolicyStatement, { path }: Scope): void {
  if (resources.not || actions.not) return;
  const scopes = new Set(resources.patterns.flatMap(scopesOf));
  for (const pattern of actions.patterns) {
    if (actionsOf(pattern).some((action) => scopes.has(actionScope(action) as ActionScope))) continue;
    throw new PolicyRefused(path, `has the action ${quote(pattern)}, which applies to none of its resources`);
  }
}

function scopesOf(pattern: string): readonly ActionScope[] {
  if (pattern.includes('/')) return ['object'];
  return pattern.endsWith('*') ? ['bucket', 'object'] : ['bucket'];
}
