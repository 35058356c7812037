/** Evaluates the policy documents of a bucket. */
import {
  compileWildcard,
  type Pattern,
  type PolicyConfig,
  type PolicyDocument,
  type PolicyPrincipal,
  type PolicyStatement,
  type Role,
} from '@bonded/crds';
import type { Principal } from '../authn/principal.ts';
import { condition, type Condition } from './conditions.ts';
import type { Facts } from './facts.ts';
import { policyPattern } from './policyText.ts';

/** Roles that bindings give the principal: anywhere on the bucket, and on just what is asked for. */
export interface HeldRoles {
  readonly onBucket: () => ReadonlySet<Role>;
  readonly onPlace: () => ReadonlySet<Role>;
}

/** What a policy is asked. */
export interface PolicyQuestion {
  readonly principal: Principal;
  readonly roles: HeldRoles;
  /** In lower case. */
  readonly s3Action: string;
  readonly target: PolicyTarget;
  readonly facts: Facts;
}

/**
 * What the action is done to, as ARNs name it: the bucket, one name in it, or `names` of it: `every` (an Allow must cover
 * all of them, a Deny need only touch one) or `some` (an Allow need only touch one, a Deny must cover all).
 */
export type PolicyTarget =
  | { readonly kind: 'bucket'; readonly bucket: string }
  | { readonly kind: 'name'; readonly bucket: string; readonly name: string }
  | { readonly kind: 'names'; readonly bucket: string; readonly which: 'every' | 'some' };

export interface PolicyAnswer {
  readonly effect: 'Allow' | 'Deny';
  /** `<namespace>/<name>#<Sid or index>` of the statement, for the log. */
  readonly statement: string;
}

/** Deny if any statement of any policy denies, else Allow if any allows, else undefined. */
export function askPolicies(policies: readonly PolicyConfig[], question: PolicyQuestion): PolicyAnswer | undefined {
  let allowed: PolicyAnswer | undefined;
  for (const { namespace, name, document } of policies) {
    for (const [index, statement] of prepared(document).entries()) {
      if (statement.effect === 'Allow' && allowed) continue;
      if (!applies(statement, question)) continue;
      const answer: PolicyAnswer = { effect: statement.effect, statement: `${namespace}/${name}#${statement.sid ?? index}` };
      if (answer.effect === 'Deny') return answer;
      allowed = answer;
    }
  }
  return allowed;
}

interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: PolicyStatement['principals'];
  readonly actions: { readonly not: boolean; readonly patterns: readonly Pattern[] };
  readonly resources: { readonly not: boolean; readonly patterns: readonly ((facts: Facts) => Pattern | undefined)[] };
  readonly conditions: readonly Condition[];
}

const statements = new WeakMap<PolicyDocument, readonly Statement[]>();

/** A document's statements with everything compiled that does not depend on the request; done once a document. */
function prepared(document: PolicyDocument): readonly Statement[] {
  const known = statements.get(document);
  if (known) return known;
  const variables = document.version === '2012-10-17';
  const made = document.statements.map(({ sid, effect, principals, actions, resources, conditions }) => ({
    sid,
    effect,
    principals,
    actions: { not: actions.not, patterns: actions.patterns.map((pattern) => compileWildcard(pattern)) },
    resources: { not: resources.not, patterns: resources.patterns.map((pattern) => policyPattern(pattern, variables)) },
    conditions: conditions.map((one) => condition(one, variables)),
  }));
  statements.set(document, made);
  return made;
}

function applies(statement: Statement, question: PolicyQuestion): boolean {
  return (
    isAction(statement, question) &&
    isPrincipal(statement, question) &&
    isResource(statement, question) &&
    statement.conditions.every((holds) => holds(question.facts))
  );
}

function isAction({ actions }: Statement, { s3Action }: PolicyQuestion): boolean {
  return actions.patterns.some((pattern) => pattern.matches(s3Action)) !== actions.not;
}

function isPrincipal({ principals, effect }: Statement, question: PolicyQuestion): boolean {
  // A role counts where that is the careful reading: for a Deny anywhere on the bucket, else only on what is asked for.
  const roles = effect === 'Deny' && !principals.not ? question.roles.onBucket : question.roles.onPlace;
  const named = principals.any || principals.names.some((name) => isNamed(name, question.principal, roles));
  return named !== principals.not;
}

function isNamed({ type, value }: PolicyPrincipal, principal: Principal, roles: () => ReadonlySet<Role>): boolean {
  if (type === 'AWS') return principal.accessKey?.accessKeyId === value;
  if (type === 'Role') return roles().has(value as Role);
  const { issuer, claims } = principal.oidc ?? {};
  return typeof claims?.sub === 'string' && `${issuer}|${claims.sub}` === value;
}

function isResource({ resources, effect }: Statement, { target, facts }: PolicyQuestion): boolean {
  const patterns = resources.patterns.flatMap((pattern) => pattern(facts) ?? []);
  if (target.kind !== 'names') {
    const text = target.kind === 'bucket' ? target.bucket : `${target.bucket}/${target.name}`;
    return patterns.some((pattern) => pattern.matches(text)) !== resources.not;
  }
  const names = `${target.bucket}/`;
  const whole = (target.which === 'every') === (effect === 'Allow');
  const touched = patterns.some((pattern) => (whole === resources.not ? pattern.reaches(names) : pattern.covers(names)));
  return touched !== resources.not;
}
