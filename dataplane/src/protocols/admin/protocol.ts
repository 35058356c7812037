/** The JSON API: its table, its way to recognise a request, and its errors. */
import type { Protocol, RequestHead } from '../contract.ts';
import { renderProblem } from './problem.ts';
import { recogniseRow } from './row.ts';
import { adminTable } from './table.ts';
import type { AdminDeps } from './table.ts';

/** `/api/v1/…` and `/auth/sessions`. */
export function createAdminProtocol(deps: AdminDeps): Protocol {
  const rows = adminTable(deps);
  return { name: 'admin', recognise: (head) => recogniseRow(rows, head), renderError: renderProblem };
}

/** True for every path that belongs to this protocol, also where nothing is. No bucket can be named `api` or `auth`. */
export function accepts({ rawPath }: Pick<RequestHead, 'rawPath'>): boolean {
  return /^\/(api|auth)(\/|$)/.test(rawPath);
}
