import assert from 'node:assert/strict';
import { PROBLEMS } from '../../../src/protocols/admin/problemKinds.ts';
import { adminTable } from '../../../src/protocols/admin/table.ts';
import type { AdminDeps } from '../../../src/protocols/admin/table.ts';
import { DOCUMENT, documentedOperations, pointerOf, resolved, satisfies } from './document.ts';
import { createStage, headOf } from './stage.ts';

const operations = documentedOperations();
const rows = adminTable({ openapi: DOCUMENT } as AdminDeps);
const concrete = (path: string) => path.replace('{bucket}', 'builds').replace('{digest}', `sha256:${'0'.repeat(64)}`);

describe('the OpenAPI document', () => {
  it('describes just the operations that the protocol has', () => {
    const described = operations.map(({ method, path }) => `${method} ${path}`);
    const built = new Set(rows.map(({ method, path }) => `${method} ${path}`));
    assert.ok(described.length >= 12);
    assert.deepEqual(described.toSorted(), [...built].toSorted());
  });

  it('is recognised by the protocol, path by path', () => {
    const { protocol } = createStage();
    for (const { method, path } of operations) assert.ok(protocol.recognise(headOf(method, concrete(path))), `${method} ${path}`);
  });

  it('lists just the query parameters that the protocol reads', () => {
    const { protocol } = createStage();
    for (const { method, path, operation } of operations) {
      const documented = operation.parameters
        .filter((parameter: any) => parameter.in === 'query')
        .map(({ name }: any) => (name === 'metadata' ? 'meta' : name));
      const known = { message: '' };
      try {
        protocol.recognise(headOf(method, `${concrete(path)}?zzz=1`));
      } catch (error) {
        known.message = (error as Error).message;
      }
      const built = /known are (.*)\.$/.exec(known.message)?.[1]?.split(', ') ?? [];
      assert.match(known.message, /no query parameter 'zzz'/, `${method} ${path}`);
      assert.deepEqual(built.toSorted(), documented.toSorted(), `${method} ${path}`);
    }
  });

  it('knows every error code that has a body', () => {
    const codes = Object.keys(PROBLEMS).filter((code) => code !== 'NotModified');
    assert.deepEqual([...DOCUMENT.components.schemas.Problem.properties.code.enum].toSorted(), codes.toSorted());
  });

  it('has examples that satisfy their own schemas', () => {
    let examples = 0;
    for (const { method, path, operation } of operations) {
      const bodies = [
        [`${pointerOf(path, method)}/requestBody`, operation.requestBody],
        ...Object.entries<any>(operation.responses).map(([status, response]) => [
          `${pointerOf(path, method)}/responses/${status}`,
          response,
        ]),
      ];
      for (const [pointer, body] of bodies) {
        for (const [type, media] of Object.entries<any>(resolved(body)?.content ?? {})) {
          if (media.example === undefined) continue;
          examples += 1;
          const at = body.$ref ? body.$ref.slice(1) : pointer;
          assert.ok(
            satisfies(`${at}/content/${type.replace('/', '~1').replace('+', '%2B')}/schema`, media.example),
            `${method} ${path}: ${JSON.stringify(media.example)}`,
          );
        }
      }
    }
    assert.ok(examples > 12);
  });

  it('has request examples that the protocol takes', async () => {
    for (const { method, path, operation } of operations) {
      const example = operation.requestBody?.content['application/json'].example;
      if (example === undefined) continue;
      const stage = createStage();
      const answer = await stage.send(method, concrete(path), { body: example, headers: { authorization: 'Bearer bobs-token' } });
      assert.ok(answer.status < 300 || answer.json.code === 'AccessDenied', `${method} ${path}: ${JSON.stringify(answer.json)}`);
    }
  });

  it('names each operation once, and gives every one a default answer and a summary', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { operation } of operations) assert.ok(operation.summary && operation.responses.default, operation.operationId);
  });

  it('is served to anyone', async () => {
    const stage = createStage({ openapi: DOCUMENT });
    stage.may = () => false;
    const answer = await stage.send('GET', '/api/v1/openapi.json');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, JSON.parse(JSON.stringify(DOCUMENT)));
  });
});
