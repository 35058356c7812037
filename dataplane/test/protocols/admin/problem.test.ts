import assert from 'node:assert/strict';
import { ArtefactError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { renderProblem } from '../../../src/protocols/admin/problem.ts';
import { PROBLEMS } from '../../../src/protocols/problemKinds.ts';
import { headOf } from './stage.ts';

const context = { head: headOf('GET', '/api/v1/whoami', { authorization: 'Bearer …' }) };
const rendered = (error: ArtefactError) => {
  const reply = renderProblem(error, context);
  return { ...reply, problem: typeof reply.body === 'string' ? JSON.parse(reply.body) : undefined };
};

describe('problem documents of the JSON API', () => {
  it('renders every code with the members of RFC 9457', () => {
    for (const code of Object.keys(PROBLEMS) as ErrorCode[]) {
      const { status, problem } = rendered(new ArtefactError(code, 'Do this next.'));
      assert.equal(status, PROBLEMS[code].status);
      if (status === 304) continue;
      assert.ok(status >= 400 && status < 600, `${code} is an error`);
      assert.deepEqual(problem, {
        type: `tag:bonded.dev,2026:${code}`,
        title: PROBLEMS[code].title,
        status,
        detail: 'Do this next.',
        code,
        requestId: 'request-1',
      });
    }
  });

  it('has no body for 304', () => {
    assert.deepEqual(renderProblem(new ArtefactError('NotModified', 'same'), context), { status: 304 });
  });

  it('never shows a cause', () => {
    const { body } = renderProblem(new ArtefactError('Internal', 'Sorry.', { cause: new Error('password=hunter2') }), context);
    assert.ok(typeof body === 'string' && !body.includes('hunter2'));
  });

  it('shows details, but not those that a header says or another protocol needs', () => {
    const { problem, headers } = rendered(
      new ArtefactError('MethodNotAllowed', 'no', { details: { allow: 'GET, HEAD', s3Code: 'X', field: 'limit' } }),
    );
    assert.deepEqual(problem.details, { field: 'limit' });
    assert.equal(headers?.allow, 'GET, HEAD');
  });

  it('challenges where credentials would help, and only there', () => {
    for (const [code, { status }] of Object.entries(PROBLEMS)) {
      const { headers } = renderProblem(new ArtefactError(code as ErrorCode, 'x'), context);
      assert.equal(headers?.['www-authenticate'] !== undefined, status === 401, code);
    }
  });

  it('asks for credentials where none were sent', () => {
    const reply = renderProblem(new ArtefactError('AccessDenied', 'no'), { head: headOf('GET', '/api/v1/buckets') });
    assert.deepEqual([reply.status, reply.headers?.['www-authenticate']], [401, 'Bearer realm="bonded"']);
    assert.match(reply.body as string, /"code":"CredentialsMissing"/);
  });

  it('says when to come again', () => {
    assert.equal(renderProblem(new ArtefactError('SlowDown', 'x', { details: { retryAfter: 7 } }), context).headers?.['retry-after'], '7');
    assert.equal(renderProblem(new ArtefactError('Unavailable', 'x'), context).headers?.['retry-after'], '1');
  });
});
