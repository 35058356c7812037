/** The S3 protocol: its table, its way to recognise a request, its errors and its CORS headers. */
import type { ErrorContext, Protocol } from '../contract.ts';
import type { ArtefactError } from '../../errors.ts';
import { addressOf } from './address.ts';
import type { Address } from './address.ts';
import { corsHeaders } from './cors/actual.ts';
import { renderS3Error } from './errors.ts';
import { recognise } from './recognise.ts';
import { s3Table } from './table.ts';
import type { TableOptions } from './table.ts';

/** `region` is the one that this installation says it is in. */
export interface S3Options extends TableOptions {
  /** Host names under which buckets are addressed as `{bucket}.{domain}`; none: by path only. */
  readonly domains: readonly string[];
}

/** S3 at `/{bucket}/{key}`, and at `{bucket}.{domain}/{key}` for configured domains. */
export function createS3Protocol(options: S3Options): Protocol {
  const domains = options.domains.map((domain) => domain.toLowerCase());
  const routes = { rows: s3Table(options), domains };
  return {
    name: 's3',
    recognise: (head) => recognise(head, routes),
    renderError: (error, context) => renderError(error, context, domains),
    decorate: (head, snapshot) => corsHeaders(head, snapshot, addressOrNothing(head, domains).bucket),
  };
}

function renderError(error: ArtefactError, { head }: ErrorContext, domains: readonly string[]) {
  return renderS3Error(error, { requestId: head.id, method: head.method, ...addressOrNothing(head, domains) });
}

/** The address of any request, also of one that was refused for having none. */
function addressOrNothing(head: Parameters<typeof addressOf>[0], domains: readonly string[]): Address {
  try {
    return addressOf(head, domains);
  } catch {
    return {};
  }
}
