/** Which of the scopes that are asked for a token gets: those of which its owner may do something now. */
import type { Limit, LimitedAction } from '../../../authn/principal.ts';
import type { Demand } from '../../contract.ts';
import { formatScope, type RepositoryAction, type RepositoryScope, type Scope } from './scope.ts';

export interface Granted {
  /** What the token is good for. */
  readonly limits: readonly Limit[];
  /** The same in the words of clients. */
  readonly scope: string;
}

/**
 * What each action of a scope stands for. An action is granted to whoever may do one of these; whether it may do the other
 * (overwrite a tag, say, where it may create one) is decided when the token is used.
 */
const MEANING: Readonly<Record<RepositoryAction, readonly LimitedAction[]>> = {
  pull: ['read', 'list'],
  push: ['create', 'overwrite'],
  delete: ['delete'],
};

/** To list is asked by prefixes, of which a repository is none: whoever may only list gets no token to pull. */
const ASKED: Readonly<Record<RepositoryAction, readonly Pick<Demand, 'action' | 's3Action'>[]>> = {
  pull: [{ action: 'read', s3Action: 's3:GetObject' }],
  push: [
    { action: 'create', s3Action: 's3:PutObject' },
    { action: 'overwrite', s3Action: 's3:PutObject' },
  ],
  delete: [{ action: 'delete', s3Action: 's3:DeleteObject' }],
};

const CATALOGUE: Demand = { action: 'list', s3Action: 's3:ListAllMyBuckets', resource: {} };

/** The part of the scopes for which `may` answers yes. A part is no error, nor is nothing. */
export function grantScopes(scopes: readonly Scope[], may: (demand: Demand) => boolean): Granted {
  const granted = scopes.flatMap((scope) => allowedPart(scope, may));
  return { limits: granted.map(limitOf), scope: granted.map(formatScope).join(' ') };
}

function allowedPart(scope: Scope, may: (demand: Demand) => boolean): readonly Scope[] {
  if (scope.kind === 'catalogue') return may(CATALOGUE) ? [scope] : [];
  const actions = scope.actions.filter((action) => demandsOf(scope, action).some(may));
  return actions.length === 0 ? [] : [{ ...scope, actions }];
}

function demandsOf({ bucket, name }: RepositoryScope, action: RepositoryAction): readonly Demand[] {
  return ASKED[action].map((asked) => ({ ...asked, resource: { bucket, name } }));
}

function limitOf(scope: Scope): Limit {
  if (scope.kind === 'catalogue') return { actions: ['list'] };
  return { bucket: scope.bucket, name: scope.name, actions: scope.actions.flatMap((action) => MEANING[action]) };
}
