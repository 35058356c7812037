/** Why a directory of manifests is refused. */

export interface ManifestProblem {
  /** From the directory of manifests, with `/`. */
  readonly file: string;
  /** From 1; absent when it is about the whole file. */
  readonly line?: number;
  /** For people; quotes no values, which may be secrets. */
  readonly reason: string;
}

/** `team/buckets.yaml:12: spec.versionning: unknown field` */
export function showProblem({ file, line, reason }: ManifestProblem): string {
  return line === undefined ? `${file}: ${reason}` : `${file}:${line}: ${reason}`;
}
