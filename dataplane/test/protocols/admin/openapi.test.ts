import assert from 'node:assert/strict';
import { openApiWhenAsked } from '../../../src/protocols/admin/openapi.ts';
import { PROBLEMS } from '../../../src/protocols/problemKinds.ts';
import { adminTable } from '../../../src/protocols/admin/table.ts';
import type { AdminDeps } from '../../../src/protocols/admin/table.ts';
import { DOCUMENT, escaped, faultsOf, OPERATIONS, pointerOf, resolved } from './document.ts';
import type { Documented } from './document.ts';
import { BOB, createStage, headOf } from './stage.ts';

const rows = adminTable({ openapi: async () => DOCUMENT } as unknown as AdminDeps);
const concrete = (path: string) => path.replace('{bucket}', 'builds').replace('{digest}', `sha256:${'0'.repeat(64)}`);

/** Every example of a body, with where its schema stands. */
function examplesOf(documented: Documented): readonly (readonly [pointer: string, example: unknown])[] {
  const { requestBody, responses } = documented.operation;
  const bodies = [
    ['requestBody', requestBody ?? {}] as const,
    ...Object.entries(responses).map(([status, response]) => [`responses/${status}`, response] as const),
  ];
  return bodies.flatMap(([place, body]) => {
    const at = body.$ref?.slice(1) ?? `${pointerOf(documented)}/${place}`;
    const media = Object.entries(resolved(body).content ?? {}).filter(([, { example }]) => example !== undefined);
    return media.map(([type, { example }]) => [`${at}/content/${escaped(type)}/schema`, example] as const);
  });
}

describe('the OpenAPI document', () => {
  it('describes just the operations that the protocol has', () => {
    const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
    const built = new Set(rows.map(({ method, path }) => `${method} ${path}`));
    assert.ok(described.length >= 12);
    assert.deepEqual(described.toSorted(), [...built].toSorted());
  });

  it('is recognised by the protocol, path by path', () => {
    const { protocol } = createStage();
    for (const { method, path } of OPERATIONS) assert.ok(protocol.recognise(headOf(method, concrete(path))), `${method} ${path}`);
  });

  it('lists just the query parameters that the protocol reads', () => {
    const { protocol } = createStage();
    for (const { method, path, parameters } of OPERATIONS) {
      const documented = parameters
        .filter((parameter) => parameter.in === 'query')
        .map(({ name }) => (name === 'metadata' ? 'meta' : name));
      const refusal = messageOf(() => protocol.recognise(headOf(method, `${concrete(path)}?zzz=1`)));
      assert.match(refusal, /no query parameter 'zzz'/, `${method} ${path}`);
      const built = /known are (.*)\.$/.exec(refusal)?.[1]?.split(', ') ?? [];
      assert.deepEqual(built.toSorted(), documented.toSorted(), `${method} ${path}`);
    }
  });

  it('knows every error code that has a body', () => {
    const codes = Object.keys(PROBLEMS).filter((code) => code !== 'NotModified');
    assert.deepEqual(DOCUMENT.components.schemas.Problem.properties.code.enum.toSorted(), codes.toSorted());
  });

  it('has examples that satisfy their own schemas', () => {
    const examples = OPERATIONS.flatMap(examplesOf);
    assert.ok(examples.length > 20);
    for (const [pointer, example] of examples) assert.equal(faultsOf(pointer, example), undefined, pointer);
  });

  it('notices an answer that it does not describe', () => {
    const schema = '/components/schemas/Keep';
    const keep = { digest: `sha256:${'0'.repeat(64)}`, stored: true, names: [] };
    assert.equal(faultsOf(schema, keep), undefined);
    assert.match(faultsOf(schema, { ...keep, secret: 1 }) ?? '', /additional properties/);
    assert.match(faultsOf(schema, { ...keep, digest: 'sha1:0' }) ?? '', /pattern/);
  });

  it('has request examples that the protocol takes', async () => {
    for (const { method, path, operation } of OPERATIONS) {
      const example = operation.requestBody?.content?.['application/json']?.example;
      if (example === undefined) continue;
      const stage = createStage();
      stage.principal = BOB;
      const answer = await stage.send(method, concrete(path), { body: example, headers: { authorization: 'Bearer bobs-token' } });
      assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.json)}`);
    }
  });

  it('names each operation once, and gives every one a default answer and a summary', () => {
    const ids = OPERATIONS.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { operation } of OPERATIONS) assert.ok(operation.summary && operation.responses.default, operation.operationId);
  });

  it('is served to anyone', async () => {
    const stage = createStage({ openapi: openApiWhenAsked() });
    stage.may = () => false;
    const answer = await stage.send('GET', '/api/v1/openapi.json');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, JSON.parse(JSON.stringify(DOCUMENT)));
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
