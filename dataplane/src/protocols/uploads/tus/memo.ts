/** What tus clients are told again by HEAD: the metadata and the concatenation, as they were sent. */

export interface TusMemo {
  readonly metadata?: string;
  readonly concat?: string;
}

export function writeMemo(memo: TusMemo): string {
  return JSON.stringify(memo);
}

export function memoHeaders(memo: string | undefined): Readonly<Record<string, string>> {
  const { metadata, concat } = memo === undefined ? ({} as TusMemo) : (JSON.parse(memo) as TusMemo);
  return {
    ...(metadata === undefined ? {} : { 'upload-metadata': metadata }),
    ...(concat === undefined ? {} : { 'upload-concat': concat }),
  };
}
