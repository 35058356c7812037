/** The scopes that a client asks a token for: https://distribution.github.io/distribution/spec/auth/scope/ */
import { ArtefactError } from '../../../errors.ts';
import { COMPONENT } from '../names.ts';

/** What a client may ask to do with a repository; `*` is all of them. */
export const REPOSITORY_ACTIONS = ['pull', 'push', 'delete'] as const;

export type RepositoryAction = (typeof REPOSITORY_ACTIONS)[number];

/** Actions on one repository, which is a name in a bucket. */
export interface RepositoryScope {
  readonly kind: 'repository';
  readonly bucket: string;
  readonly name: string;
  readonly actions: readonly RepositoryAction[];
}

/** One thing that is asked for: a repository, or the list of all of them. */
export type Scope = RepositoryScope | { readonly kind: 'catalogue' };

/** Of all parameters together, and characters of each one scope. */
const MAX_SCOPES = 100;
const MAX_SCOPE = 4 * 1024;
/** Bytes: what a bucket, and a name in one, can have. */
const MAX_BUCKET = 63;
const MAX_NAME = 1024;

/** `resourcetype ":" resourcename ":" action [ "," action ]*`; the class of a type, in brackets, says nothing any more. */
const SCOPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^:]+):([a-z*,]*)$/;

/**
 * The scopes in these parameters, each a list with spaces between; one repository comes once, with all actions that are
 * asked for it, in the order of their first mention. What is not known here (other types, actions and names, and what is no scope at
 * all) is passed over: it is granted to nobody, which is no error. Throws `InvalidArgument` for more than 100, or one of over 4,096 characters.
 */
export function parseScopes(parameters: readonly string[]): readonly Scope[] {
  const texts = parameters.flatMap((parameter) => parameter.split(' ')).filter((text) => text !== '');
  if (texts.length > MAX_SCOPES) throw invalid(`At most ${MAX_SCOPES} scopes are taken at once.`);
  if (texts.some((text) => text.length > MAX_SCOPE)) throw invalid(`A scope has at most ${MAX_SCOPE} characters.`);
  const scopes = new Map<string, Scope>();
  for (const scope of texts.map(parseScope)) {
    if (scope === undefined) continue;
    const place = scope.kind === 'catalogue' ? '' : `${scope.bucket}/${scope.name}`;
    scopes.set(place, joined(scopes.get(place), scope));
  }
  return [...scopes.values()];
}

/** A scope as clients write it. */
export function formatScope(scope: Scope): string {
  return scope.kind === 'catalogue' ? 'registry:catalog:*' : `repository:${scope.bucket}/${scope.name}:${scope.actions.join(',')}`;
}

function parseScope(text: string): Scope | undefined {
  const [, type, resource = '', list = ''] = SCOPE.exec(text) ?? [];
  const asked = list.split(',');
  switch (type) {
    case 'registry':
      return resource === 'catalog' && asked.includes('*') ? { kind: 'catalogue' } : undefined;
    case 'repository':
      return repositoryScope(resource.split('/'), asked);
    default:
      return undefined;
  }
}

function repositoryScope(components: readonly string[], asked: readonly string[]): RepositoryScope | undefined {
  const actions = REPOSITORY_ACTIONS.filter((action) => asked.includes(action) || asked.includes('*'));
  if (actions.length === 0 || components.length < 2 || !components.every((component) => COMPONENT.test(component))) return undefined;
  const [bucket = '', ...rest] = components;
  const name = rest.join('/');
  return bucket.length > MAX_BUCKET || name.length > MAX_NAME ? undefined : { kind: 'repository', bucket, name, actions };
}

function joined(known: Scope | undefined, scope: Scope): Scope {
  if (known?.kind !== 'repository' || scope.kind !== 'repository') return scope;
  return { ...scope, actions: REPOSITORY_ACTIONS.filter((action) => known.actions.includes(action) || scope.actions.includes(action)) };
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidArgument', message, { details: { argumentName: 'scope' } });
}
