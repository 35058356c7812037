/** Tokens that are good for a few things only: what is outside of them is denied before anything else is asked. */
import type { Limit, Principal } from '../authn/principal.ts';
import type { Action, Resource } from './action.ts';

/** The part of a demand that limits speak of. */
export interface LimitedDemand {
  readonly action: Action;
  readonly resource: Resource;
}

/**
 * True unless the principal came with a token that is not good for this. Says nothing of whether it may: where this is
 * false, a token for more scopes could help, and where a demand fails although this is true, none will.
 *
 * A limit names one thing, character by character: `app` is neither `app/web` nor `application`, and nothing that is done
 * to a bucket is within one. It does not say what the name is of: only protocols whose names are those of the limits take
 * limited tokens (`Protocol.takesLimited`).
 */
export function withinLimits({ limits }: Pick<Principal, 'limits'>, demand: LimitedDemand): boolean {
  return limits === undefined || limits.some((limit) => covers(limit, demand));
}

/**
 * The same identity as if it had come with its own credentials: for an answer that a scope covers as a whole, and that is
 * filtered by what the identity may (the catalogue of repositories). Nothing else may be done as this one.
 */
export function withoutLimits(principal: Principal): Principal {
  const { limits: _, ...rest } = principal;
  return rest;
}

function covers(limit: Limit, { action, resource }: LimitedDemand): boolean {
  const actions: readonly Action[] = limit.actions;
  if (!actions.includes(action) || limit.bucket !== resource.bucket) return false;
  return resource.bucket === undefined || (resource.name !== undefined && limit.name === resource.name);
}
