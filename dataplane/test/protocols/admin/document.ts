/** The OpenAPI document, and answers held against it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { RequestHead } from '../../../src/protocols/contract.ts';

/** A part of the document that stands here or elsewhere. */
type OrReference<T> = Partial<T> & { readonly $ref?: string };

interface Media {
  readonly content?: Readonly<Record<string, { readonly example?: unknown }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface PathItem {
  readonly parameters?: readonly OrReference<Parameter>[];
}

interface OperationObject extends PathItem {
  readonly operationId: string;
  readonly summary?: string;
  readonly requestBody?: OrReference<Media>;
  readonly responses: Readonly<Record<string, OrReference<Media>>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, PathItem & Readonly<Record<string, OperationObject | undefined>>>>;
  readonly components: {
    readonly schemas: { readonly Problem: { readonly properties: { readonly code: { readonly enum: readonly string[] } } } };
  };
}

/** One operation of the document, with the parameters of its path. */
export interface Documented {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
  readonly parameters: readonly Parameter[];
}

export const DOCUMENT = parse(readFileSync(new URL('../../../../docs/api/openapi.yaml', import.meta.url), 'utf8')) as OpenApi;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { uri: (text: string) => URL.canParse(text) } });
ajv.addSchema(DOCUMENT, 'openapi');

export const OPERATIONS: readonly Documented[] = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = item[method];
    if (!operation) return [];
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((given) => resolved(given) as Parameter);
    return [{ method: method.toUpperCase(), path, operation, parameters }];
  }),
);

/** The same thing without `$ref`. */
export function resolved<T extends object>(value: OrReference<T>): Partial<T> {
  if (value.$ref === undefined) return value;
  const steps = value.$ref.slice('#/'.length).split('/');
  return steps.reduce((node, step) => (node as Record<string, object>)[step] ?? {}, DOCUMENT as object);
}

/** Fails unless an answer is one that the document promises for the request. HEAD promises what GET does, without the body. */
export function assertDocumented(
  head: RequestHead,
  answer: { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly json: unknown },
): void {
  const method = head.method === 'HEAD' ? 'GET' : head.method;
  const found = OPERATIONS.find((candidate) => candidate.method === method && pattern(candidate.path).test(head.rawPath));
  const what = `${head.method} ${head.target} → ${answer.status}`;
  const own = found?.operation.responses[answer.status];
  if (!own) assert.ok(answer.status >= 400, `${what} is not documented`);
  const content = Object.keys(resolved(own ?? { $ref: '#/components/responses/Problem' }).content ?? {});
  const [type] = content;
  if (type === undefined || head.method === 'HEAD') return assert.equal(answer.json, undefined, `${what} has a body`);
  assert.equal(answer.headers['content-type'], type, what);
  const pointer = own ? `${pointerOf(found)}/responses/${answer.status}` : '/components/responses/Problem';
  const faults = faultsOf(`${pointer}/content/${escaped(type)}/schema`, answer.json);
  assert.equal(faults, undefined, `${what}: ${faults} in ${JSON.stringify(answer.json)}`);
}

/** What keeps `value` from satisfying the schema at that JSON pointer of the document; undefined when nothing does. */
export function faultsOf(pointer: string, value: unknown): string | undefined {
  const validate = ajv.compile({ $ref: `openapi#${pointer}` });
  validate(value);
  return validate.errors ? ajv.errorsText(validate.errors) : undefined;
}

/** Where an operation stands in the document, as a JSON pointer in a URI fragment. */
export function pointerOf({ path, method }: Documented): string {
  return `/paths/${escaped(path)}/${method.toLowerCase()}`;
}

export function escaped(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
