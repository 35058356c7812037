/** What a name may be, and what each operation makes of it: S3's rules for versions, in the checker's own words. */

/** A value that somebody sent under a name. The mark, which travels as metadata, tells it from all others. */
export interface Thing {
  readonly mark: string;
  readonly size: number;
  readonly sha256: string;
  readonly etag: string;
}

/** One version of a name; without a thing, a delete marker. */
export interface Version {
  /** Undefined while only an operation without an answer knows it. */
  readonly id?: string;
  /** Number of the operation that made it. */
  readonly by: number;
  readonly thing?: Thing;
  /** As a query string; '' for none. */
  readonly tags: string;
}

/** All that is known of a name. */
export interface State {
  /** Newest first. */
  readonly versions: readonly Version[];
  /** Uploads that became a version of it, which they do once, however often that is asked for; but see `again`. */
  readonly ended: readonly string[];
}

export const NOTHING: State = { versions: [], ended: [] };

export type Versioning = 'never' | 'on' | 'paused';

export type Act =
  | {
      readonly kind: 'put';
      readonly thing: Thing;
      readonly tags: string;
      readonly only?: Condition;
      readonly upload?: string;
      /** The upload may become a version again, where its completion was asked for twice. */
      readonly again?: true;
    }
  | { readonly kind: 'delete'; readonly versionId?: string; readonly only?: Condition }
  | { readonly kind: 'tag'; readonly tags: string }
  | { readonly kind: 'read' };

export type Condition = { readonly absent: true } | { readonly etag: string };

export type Outcome =
  /** It happened; `versionId` as answered, `mark` as read. */
  | { readonly kind: 'done'; readonly versionId?: string; readonly mark?: string }
  /** Its condition did not hold, or what it is about was not there. */
  | { readonly kind: 'refused' }
  /** It did not happen, whatever the reason. */
  | { readonly kind: 'nothing' }
  /** It was sent, and nobody heard an answer. */
  | { readonly kind: 'unknown' };

export interface Operation {
  readonly n: number;
  readonly act: Act;
  /** Moments on a counter that goes up with every request and answer. */
  readonly start: number;
  end: number;
  outcome: Outcome;
  /** For people. */
  readonly who: string;
}

/** The state after the operation, with the outcome that it had; undefined when it cannot have had that outcome here. */
export function step(state: State, operation: Operation, versioning: Versioning): State | undefined {
  const { act, outcome } = operation;
  switch (act.kind) {
    case 'put':
      return stepPut(state, operation as Operation & { act: typeof act }, versioning);
    case 'delete':
      return stepDelete(state, operation as Operation & { act: typeof act }, versioning);
    case 'tag':
      return stepTag(state, act.tags, outcome);
    case 'read': {
      const mark = outcome.kind === 'done' ? outcome.mark : undefined;
      return current(state)?.thing?.mark === mark ? state : undefined;
    }
  }
}

/** The states that the operation may lead to. */
export function steps(state: State, operation: Operation, versioning: Versioning): readonly State[] {
  const { act } = operation;
  const next = [step(state, operation, versioning)];
  if (act.kind === 'put' && act.again === true && state.ended.includes(act.upload ?? '')) {
    const { upload: _upload, ...anew } = act;
    next.push(step(state, { ...operation, act: anew }, versioning));
  }
  return next.filter((one) => one !== undefined);
}

function current(state: State): Version | undefined {
  const [first] = state.versions;
  return first?.thing === undefined ? undefined : first;
}

function holds(state: State, only: Condition | undefined): boolean {
  if (only === undefined) return true;
  const thing = current(state)?.thing;
  return 'absent' in only ? thing === undefined : thing?.etag === only.etag;
}

function stepPut(state: State, operation: Operation & { act: { kind: 'put' } }, versioning: Versioning): State | undefined {
  const { act, outcome, n } = operation;
  const { thing, tags, upload } = act;
  if (outcome.kind === 'refused') return holds(state, act.only) ? undefined : state;
  if (upload !== undefined && state.ended.includes(upload)) return state;
  if (!holds(state, act.only)) return undefined;
  const version: Version = { by: n, thing, tags, ...idOf(outcome, versioning) };
  return { versions: succeed(state, version, versioning), ended: upload === undefined ? state.ended : [...state.ended, upload] };
}

function stepDelete(state: State, operation: Operation & { act: { kind: 'delete' } }, versioning: Versioning): State | undefined {
  const { act, outcome, n } = operation;
  if (outcome.kind === 'refused') return holds(state, act.only) ? undefined : state;
  if (!holds(state, act.only)) return undefined;
  if (act.versionId !== undefined) return { ...state, versions: state.versions.filter(({ id }) => id !== act.versionId) };
  if (versioning === 'never') return { ...state, versions: [] };
  return { ...state, versions: succeed(state, { by: n, tags: '', ...idOf(outcome, versioning) }, versioning) };
}

function stepTag(state: State, tags: string, outcome: Outcome): State | undefined {
  const [first, ...older] = state.versions;
  const there = current(state);
  if (outcome.kind === 'refused') return there === undefined ? state : undefined;
  if (first === undefined || there === undefined) return undefined;
  return { ...state, versions: [{ ...first, tags }, ...older] };
}

function idOf(outcome: Outcome, versioning: Versioning): { readonly id?: string } {
  if (versioning !== 'on') return { id: 'null' };
  return outcome.kind === 'done' && outcome.versionId !== undefined ? { id: outcome.versionId } : {};
}

/** Where versions are kept the new one comes before all others; elsewhere it replaces the one called null. */
function succeed(state: State, version: Version, versioning: Versioning): readonly Version[] {
  return [version, ...(versioning === 'on' ? state.versions : state.versions.filter(({ id }) => id !== 'null'))];
}

/** A text that two states share only when they are the same. */
export function keyOf({ versions, ended }: State): string {
  return `${versions.map(({ id, by, tags }) => `${id ?? '?'}/${by}/${tags}`).join()} ${ended.toSorted().join()}`;
}
