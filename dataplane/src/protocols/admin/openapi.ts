/** `GET /api/v1/openapi.json`: what the JSON API can do, for people and generators. */
import { json } from './json.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

export interface OpenApiDeps {
  /** `docs/api/openapi.yaml` as data. */
  readonly openapi: unknown;
}

export function openapi(deps: OpenApiDeps): Row {
  return row<Readonly<Record<never, never>>>({
    name: 'admin.OpenApi',
    method: 'GET',
    path: '/api/v1/openapi.json',
    fields: {},
    authenticates: 'public',
    demands: () => [],
    handle: async () => json(200, deps.openapi, { 'cache-control': 'no-cache' }),
  });
}
