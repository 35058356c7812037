/** The OpenAPI document, and answers held against it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { RequestHead } from '../../../src/protocols/contract.ts';

export const DOCUMENT: any = parse(readFileSync(new URL('../../../../docs/api/openapi.yaml', import.meta.url), 'utf8'));

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { uri: (text: string) => URL.canParse(text) } });
ajv.addSchema(DOCUMENT, 'openapi');

/** `GET /api/v1/whoami` and so on: every operation of the document. */
export function documentedOperations(): readonly { readonly method: string; readonly path: string; readonly operation: any }[] {
  return Object.entries<any>(DOCUMENT.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      method: method.toUpperCase(),
      path,
      operation: { ...item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolved) },
    })),
  );
}

/** The same thing without `$ref`, one level deep. */
export function resolved(value: any): any {
  if (typeof value?.$ref !== 'string') return value;
  return value.$ref
    .slice(2)
    .split('/')
    .reduce((node: any, name: string) => node[name], DOCUMENT);
}

/** Fails unless an answer is one that the document promises for the request. HEAD promises what GET does, without the body. */
export function assertDocumented(
  head: RequestHead,
  answer: { status: number; headers: Readonly<Record<string, unknown>>; json: unknown },
): void {
  const method = head.method === 'HEAD' ? 'GET' : head.method;
  const found = documentedOperations().find((candidate) => candidate.method === method && pattern(candidate.path).test(head.rawPath));
  const what = `${head.method} ${head.target} → ${answer.status}`;
  if (!found) return assert.ok(answer.status >= 400, `${what} is not documented`);
  const { responses } = found.operation;
  assert.ok(responses[answer.status] || answer.status >= 400, `${what} is not documented`);
  const pointer = responses[answer.status]
    ? `${pointerOf(found.path, method)}/responses/${answer.status}`
    : '/components/responses/Problem';
  const content = Object.entries<any>(resolved(responses[answer.status] ?? responses.default).content ?? {});
  if (content.length === 0 || head.method === 'HEAD') return assert.equal(answer.json, undefined, `${what} has a body`);
  const [[type]] = content as [[string, any]];
  assert.equal(answer.headers['content-type'], type, what);
  const validate = ajv.compile({ $ref: `openapi#${pointer}/content/${escaped(type)}/schema` });
  assert.ok(validate(answer.json), `${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(answer.json)}`);
}

/** True when `value` satisfies the schema at that JSON pointer of the document. */
export function satisfies(pointer: string, value: unknown): boolean {
  return ajv.compile({ $ref: `openapi#${pointer}` })(value);
}

export function pointerOf(path: string, method: string): string {
  return `/paths/${escaped(path)}/${method.toLowerCase()}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
}
