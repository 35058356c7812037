/** Who is asking: the one thing that every form of credential becomes. */

export interface Principal {
  readonly kind: 'anonymous' | 'accessKey' | 'oidc';
  /** Stable and printable, for logs and the journal: `anonymous`, `key:<accessKeyId>`, `oidc:<issuer>|<sub>`. */
  readonly id: string;
  /** For `accessKey`: which Secret it came from. */
  readonly accessKey?: { readonly accessKeyId: string; readonly namespace: string; readonly secretName: string };
  /** For `oidc`: verified claims of a token of a trusted issuer. */
  readonly oidc?: { readonly issuer: string; readonly claims: Readonly<Record<string, unknown>> };
  /** For tokens of an issuer that is configured as a cluster's: the service account they speak for. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  /** Set when it came out of a temporary session (STS): when that ends, in ms since the epoch. */
  readonly sessionExpires?: number;
  /**
   * Set when it came out of a token that is good for a few things only (the registry's): whatever is outside of them is
   * denied, whoever it is. An empty list: nothing at all.
   */
  readonly limits?: readonly Limit[];
}

/** One thing that a limited token is good for. */
export interface Limit {
  /** Absent: the installation as a whole. */
  readonly bucket?: string;
  /** The one name in the bucket, which is a repository in the registry; present where `bucket` is. */
  readonly name?: string;
  readonly actions: readonly LimitedAction[];
}

/** What a limited token can be good for: never to administer, nor to bring papers. */
export type LimitedAction = 'read' | 'list' | 'create' | 'overwrite' | 'delete';

/** The principal of a request without credentials. */
export const ANONYMOUS: Principal = { kind: 'anonymous', id: 'anonymous' };
