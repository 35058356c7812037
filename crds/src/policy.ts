/** The S3 policy document, parsed and validated: what BucketPolicy holds and PutBucketPolicy takes. */

export interface PolicyDocument {
  readonly version: '2012-10-17' | '2008-10-17';
  readonly id?: string;
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  /** Who it is about; `not` for NotPrincipal. */
  readonly principals: { readonly not: boolean; readonly any: boolean; readonly names: readonly PolicyPrincipal[] };
  /** Lower-cased S3 actions with `*` and `?` wildcards; `not` for NotAction. */
  readonly actions: { readonly not: boolean; readonly patterns: readonly string[] };
  /** What follows `arn:aws:s3:::` (`bucket` or `bucket/key`), with wildcards; `not` for NotResource. */
  readonly resources: { readonly not: boolean; readonly patterns: readonly string[] };
  readonly conditions: readonly PolicyCondition[];
}

/** `AWS`: an access key id; `OIDC`: `<issuer>|<sub>`; `Role`: the role that some AccessBinding gives the caller on the bucket. */
export interface PolicyPrincipal {
  readonly type: 'AWS' | 'OIDC' | 'Role';
  readonly value: string;
}

export interface PolicyCondition {
  /** Base operator, such as `StringEquals`, without set qualifier and `IfExists`. */
  readonly operator: string;
  readonly qualifier?: 'ForAnyValue' | 'ForAllValues';
  readonly ifExists: boolean;
  /** Lower-cased condition key. */
  readonly key: string;
  readonly values: readonly string[];
}
