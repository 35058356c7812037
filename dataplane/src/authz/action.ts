/** The small closed set of things that can be done to a resource; every operation of every protocol names one. */
export type Action = 'read' | 'list' | 'create' | 'overwrite' | 'delete' | 'attach' | 'administer';

/** What an action is done to: a bucket, or a name in it. `bucket` undefined: the installation as a whole (ListBuckets). */
export interface Resource {
  readonly bucket?: string;
  readonly name?: string;
}

/**
 * Facts about a request for the conditions of policies: lower-cased condition key → values.
 * A key that is absent here does not exist in the request (`Null` and `…IfExists` see that).
 */
export type ConditionContext = ReadonlyMap<string, readonly string[]>;
