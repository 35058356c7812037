import { trace, type Span, type Tracer } from '@opentelemetry/api';
import assert from 'node:assert/strict';
import { sha256Digest } from '../../src/core/digest.ts';
import { ArtefactError, type ErrorCode } from '../../src/errors.ts';
import { setTracing } from '../../src/telemetry/traces.ts';
import { ask, dial, drain, stage, strike, until, type Script } from './stage.ts';

const denied = (code: ErrorCode) => new ArtefactError(code, `${code} said`);
const DIGEST = sha256Digest('a'.repeat(64));

describe('the journey', () => {
  afterEach(strike);

  it('takes every step in order', async () => {
    const act = await stage({
      handle: async (call) => {
        await call.admit({ digest: DIGEST, resource: { bucket: 'b' } });
        return { status: 200, body: call.operation };
      },
    });
    const answer = await ask(act.port, '/b/n');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'stub.Act');
    assert.deepEqual(act.steps, ['recognise', 'authenticate', 'demands', 'authorise', 'handle', 'admit']);
  });

  const refusals: readonly (readonly [string, Script, number, readonly string[]])[] = [
    [
      'recognition',
      {
        recognise: () => {
          throw denied('RouteUnknown');
        },
      },
      404,
      ['recognise'],
    ],
    ['authentication', { gate: { authenticate: () => Promise.reject(denied('SignatureMismatch')) } }, 403, ['recognise', 'authenticate']],
    [
      'authorisation',
      {
        gate: {
          authorise: () => {
            throw denied('AccessDenied');
          },
        },
      },
      403,
      ['recognise', 'authenticate', 'demands', 'authorise'],
    ],
  ];
  for (const [step, script, status, taken] of refusals) {
    it(`stops at a refused ${step}`, async () => {
      const act = await stage(script);
      const answer = await ask(act.port, '/b/n');
      assert.equal(answer.status, status);
      assert.match(answer.body, /said$/);
      assert.deepEqual(act.steps, taken);
    });
  }

  it('authorises every demand, and stops at the first refused one', async () => {
    let asked = 0;
    const act = await stage({
      demands: [1, 2, 3].map((n) => ({ action: 'read', s3Action: 's3:GetObject', resource: { name: String(n) } })),
      gate: {
        authorise: (_asking, demand) => {
          asked += 1;
          if (demand.resource.name === '2') throw denied('AccessDenied');
        },
      },
    });
    assert.equal((await ask(act.port, '/')).status, 403);
    assert.equal(asked, 2);
    assert.ok(!act.steps.includes('handle'));
  });

  it('answers Held when the door is shut', async () => {
    const act = await stage({
      gate: { admit: () => Promise.reject(denied('Held')) },
      handle: async (call) => {
        await call.admit({ digest: DIGEST, resource: {} });
        return { status: 200, body: 'secret bytes' };
      },
    });
    const answer = await ask(act.port, '/b/n');
    assert.equal(answer.status, 403);
    assert.ok(!answer.body.includes('secret'));
  });

  it('lets no credentials be looked for where an operation is public, and still authorises what it demands', async () => {
    const act = await stage({ authenticates: 'public' });
    await ask(act.port, '/');
    assert.deepEqual(act.steps, ['recognise', 'unauthenticated', 'demands', 'authorise', 'handle']);
  });

  it('goes on as the principal that a handler became', async () => {
    const seen: string[] = [];
    const act = await stage({
      authenticates: 'handler',
      gate: { authorise: (asking) => void seen.push(asking.principal.id) },
      handle: async (call) => {
        call.become({ kind: 'accessKey', id: 'key:K' });
        call.authorise({ action: 'create', s3Action: 's3:PutObject', resource: {} });
        return { status: 200, body: `${call.principal.id} ${call.actor.principal}` };
      },
    });
    assert.equal((await ask(act.port, '/')).body, 'key:K key:K');
    assert.deepEqual(seen, ['anonymous', 'key:K']);
    assert.equal((await act.logged('request'))['principal'], 'key:K');
  });

  it('hides unknown causes from the client, and logs them with their stack', async () => {
    const act = await stage({
      handle: () => Promise.reject(new TypeError('database at /var/lib/x is on fire')),
    });
    const answer = await ask(act.port, '/b/n');
    assert.equal(answer.status, 500);
    assert.match(answer.body, /^Internal: We encountered an internal error/);
    assert.ok(!answer.body.includes('fire'));
    const line = await act.logged('request failed for an unknown reason');
    const error = line['err'] as { type: string; message: string; stack: string };
    assert.equal(error.type, 'TypeError');
    assert.match(error.message, /on fire/);
    assert.match(error.stack, /serve\.test\.ts/);
    assert.equal(line['requestId'], answer.headers.get('x-request-id'));
  });

  it('answers a bare 500 when even the error cannot be rendered', async () => {
    const act = await stage({
      handle: () => Promise.reject(denied('AccessDenied')),
      renderError: () => {
        throw new Error('no words');
      },
    });
    const answer = await ask(act.port, '/');
    assert.equal(answer.status, 500);
    assert.equal(answer.body, 'Internal error\n');
  });

  it('answers an error when a header of the reply cannot be sent', async () => {
    const act = await stage({ handle: async () => ({ status: 200, headers: { 'X-Bad': 'snow\u2603\r\nman' }, body: 'x' }) });
    const answer = await ask(act.port, '/');
    assert.equal(answer.status, 500);
    assert.match(answer.body, /^Internal/);
  });

  it('gives every answer its request id, the server name and the decorations', async () => {
    const act = await stage({
      decorate: () => ({ 'Access-Control-Allow-Origin': 'https://ui.example' }),
      handle: () => Promise.reject(denied('AccessDenied')),
    });
    const answer = await ask(act.port, '/');
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers.get('x-amz-request-id'), answer.headers.get('x-request-id'));
    assert.equal(answer.headers.get('server'), 'Bonded');
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://ui.example');
    assert.ok(answer.headers.get('date'));
    assert.equal(answer.headers.get('x-powered-by'), null);
  });

  it('refuses everything but what is public while no configuration is in force', async () => {
    const script: Script = {
      snapshot: () => {
        throw new ArtefactError('Unavailable', 'No configuration is in force yet.');
      },
    };
    const closed = await stage(script);
    const answer = await ask(closed.port, '/');
    assert.match(answer.body, /^Unavailable/);
    assert.deepEqual(closed.steps, ['recognise']);
    const open = await stage({ ...script, authenticates: 'public' });
    assert.equal((await ask(open.port, '/')).status, 200);
  });

  it('sends an answer although its decoration fails', async () => {
    const act = await stage({
      decorate: () => {
        throw new Error('no colours');
      },
    });
    assert.equal((await ask(act.port, '/')).body, 'hello');
    await act.logged('answer could not be decorated');
  });

  it('gives the handler what the client sent: raw target, every header, body, trace id', async () => {
    let seen: unknown;
    const act = await stage({
      handle: async (call) => {
        const size = await drain(call.payload.bytes);
        seen = { target: call.head.target, rawPath: call.head.rawPath, query: call.head.query, size, actor: call.actor.traceId };
        return { status: 204 };
      },
    });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const body = Buffer.alloc(3_000_000, 7);
    const answer = await ask(act.port, '/b/a%2Fb//c?x=1+2&y&x=%C3%A9', { method: 'PUT', body, headers: { traceparent } });
    assert.equal(answer.status, 204);
    assert.deepEqual(seen, {
      target: '/b/a%2Fb//c?x=1+2&y&x=%C3%A9',
      rawPath: '/b/a%2Fb//c',
      query: [
        ['x', '1 2'],
        ['y', ''],
        ['x', 'é'],
      ],
      size: body.length,
      actor: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
    const line = await act.logged('request');
    assert.equal(line['traceId'], '4bf92f3577b34da6a3ce929d0e0e4736');
    assert.equal(line['bytesIn'], body.length);
  });

  it('aborts the signal when the client leaves', async () => {
    let aborted = false;
    const act = await stage({
      handle: async (call) => {
        await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve()));
        aborted = true;
        call.signal.throwIfAborted();
        return { status: 200 };
      },
    });
    const line = await dial(act.port);
    line.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await until(() => act.steps.includes('handle'));
    line.socket.destroy();
    await until(() => aborted);
    const access = await act.logged('request');
    assert.equal(access['aborted'], true);
    assert.ok(!act.lines.some((each) => each['level'] === 'error'));
  });

  it('never aborts the signal of a request that was answered', async () => {
    let signal: AbortSignal | undefined;
    const act = await stage({
      handle: async (call) => {
        signal = call.signal;
        return { status: 200, body: 'x' };
      },
    });
    await ask(act.port, '/', { headers: { connection: 'close' } });
    await act.logged('request');
    assert.equal(signal?.aborted, false);
  });
});

describe('the spans of a journey', () => {
  afterEach(async () => {
    setTracing(false);
    trace.disable();
    await strike();
  });

  it('are one for the request, named by its operation, and one for each step', async () => {
    const spans: { name: string; attributes: Record<string, unknown> }[] = [];
    const startActiveSpan = (name: string, ...rest: unknown[]) => {
      const kept = { name, attributes: { ...(rest[0] as { attributes?: object }).attributes } };
      spans.push(kept);
      const span = {
        spanContext: () => ({ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 }),
        updateName: (updated: string) => (kept.name = updated),
        setAttribute: (key: string, value: unknown) => Object.assign(kept.attributes, { [key]: value }),
        setAttributes: (more: object) => Object.assign(kept.attributes, more),
        setStatus: () => span,
        end: () => {},
      };
      return (rest.at(-1) as (active: Span) => unknown)(span as unknown as Span);
    };
    trace.setGlobalTracerProvider({ getTracer: () => ({ startActiveSpan }) as unknown as Tracer });
    setTracing(true);
    const act = await stage({
      handle: async (call) => {
        await call.admit({ digest: DIGEST, resource: {} });
        return { status: 200, body: call.actor.traceId ?? '' };
      },
    });
    const answer = await ask(act.port, '/b/n?X-Amz-Signature=sssssecret');
    await act.logged('request');
    assert.equal(answer.body, 'ab'.repeat(16));
    assert.deepEqual(
      spans.map((span) => span.name),
      ['stub.Act', 'recognise', 'authenticate', 'authorise', 'handle', 'admit'],
    );
    assert.equal(spans[0]!.attributes['http.response.status_code'], 200);
    assert.equal(spans[0]!.attributes['url.path'], '/b/n');
    assert.ok(!JSON.stringify(spans).includes('sssssecret'));
  });
});
