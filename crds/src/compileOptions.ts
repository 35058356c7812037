/** What compiling depends on besides the resources. */
import type { Snapshot } from './snapshot.ts';

export interface CompileOptions {
  /** Issuers that the installation trusts; `kubernetes` for those whose tokens speak for service accounts. */
  readonly issuers: readonly { readonly issuer: string; readonly kubernetes?: boolean }[];
  /** Storage locations that the installation has. */
  readonly locations: readonly string[];
  /** What was in force before: who holds a bucket's name or an access key id there keeps it, whatever a younger resource says of its age. */
  readonly previous?: Snapshot;
  /** Access key ids that no Secret can have: the built-in Owner's. */
  readonly reservedAccessKeys?: readonly string[];
}
