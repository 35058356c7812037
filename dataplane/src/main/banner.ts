/** What a person at a terminal is told at the start. No secret is in it: it names the file that holds the key. */
import { relative } from 'node:path';

export interface Welcome {
  readonly url: string;
  readonly metricsUrl: string;
  readonly credentialsFile: string;
  /** True when the key was made just now. */
  readonly first: boolean;
}

/** The words, with a command to begin with. */
export function banner({ url, metricsUrl, credentialsFile, first }: Welcome): string {
  const near = relative(process.cwd(), credentialsFile);
  const file = near.startsWith('..') ? credentialsFile : near;
  return [
    '',
    `Bonded serves S3 at ${url}`,
    `  metrics at ${metricsUrl}, readiness at ${url}/readyz`,
    '',
    first ? `An Owner access key was made and written to ${file}. Try:` : `The Owner's access key is in ${file}. Try:`,
    '',
    `  AWS_SHARED_CREDENTIALS_FILE=${file} aws --profile bonded --endpoint-url ${url} s3 ls`,
    '',
    '',
  ].join('\n');
}
