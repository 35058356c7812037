/** Who and what, for the journal. */
import type { Principal } from '../authn/principal.ts';
import type { Actor } from '../core/core.ts';

/** Claims that tell a reader of the journal who, or which job of which pipeline, it was. */
const KEPT_CLAIMS = [
  'sub',
  'email',
  'preferred_username',
  'client_id',
  'azp',
  'repository',
  'repository_id',
  'ref',
  'sha',
  'workflow_ref',
  'run_id',
  'project_path',
  'pipeline_id',
] as const;

const MAX_CLAIM = 256;

export interface Occasion {
  readonly operation: string;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly remoteAddress: string;
}

/** The actor of a request; claims are the few above, each cut at 256 characters. */
export function actorOf(principal: Principal, occasion: Occasion): Actor {
  const claims = keptClaims(principal);
  return {
    principal: principal.id,
    ...(claims ? { claims } : {}),
    operation: occasion.operation,
    requestId: occasion.requestId,
    ...(occasion.traceId === undefined ? {} : { traceId: occasion.traceId }),
    remoteAddress: occasion.remoteAddress,
  };
}

function keptClaims(principal: Principal): Record<string, string> | undefined {
  if (!principal.oidc) return undefined;
  const kept: Record<string, string> = { iss: principal.oidc.issuer.slice(0, MAX_CLAIM) };
  for (const name of KEPT_CLAIMS) {
    const value = principal.oidc.claims[name];
    if (typeof value === 'string' || typeof value === 'number') kept[name] = String(value).slice(0, MAX_CLAIM);
  }
  return kept;
}
