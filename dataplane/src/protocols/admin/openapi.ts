/** `GET /api/v1/openapi.json`: what the JSON API can do, for people and generators. */
import { readFile } from 'node:fs/promises';
import { readYaml } from '@bonded/crds';
import { json } from './json.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

export interface OpenApiDeps {
  /** `docs/api/openapi.yaml` as data. */
  readonly openapi: () => Promise<unknown>;
}

const DOCUMENT = new URL('../../../../docs/api/openapi.yaml', import.meta.url);

/** Reads the document when it is first asked for: no start waits for it, and most processes never need it. */
export function openApiWhenAsked(): () => Promise<unknown> {
  let document: Promise<unknown> | undefined;
  return () => (document ??= loadOpenApi());
}

/** Reads the document that stands in the repository; throws when it cannot be read. */
async function loadOpenApi(): Promise<unknown> {
  const { documents, reasons } = readYaml(await readFile(DOCUMENT, 'utf8'));
  const [document] = documents;
  if (document === undefined || reasons.length > 0) throw new Error(`The OpenAPI document cannot be read: ${JSON.stringify(reasons)}`);
  return document.value;
}

export function openapi(deps: OpenApiDeps): Row {
  return row<Readonly<Record<never, never>>>({
    name: 'admin.OpenApi',
    method: 'GET',
    path: '/api/v1/openapi.json',
    fields: {},
    authenticates: 'public',
    demands: () => [],
    handle: async () => json(200, await deps.openapi(), { 'cache-control': 'no-cache' }),
  });
}
