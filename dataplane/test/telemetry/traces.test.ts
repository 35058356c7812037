import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { requestSpan, setTracing, signalsAsked, span, traceHeaders, traceIdOf } from '../../src/telemetry/traces.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

describe('traces', () => {
  it('are exported only when the environment asks for it', () => {
    const cases: readonly (readonly [Record<string, string>, boolean, boolean])[] = [
      [{}, false, false],
      [{ OTEL_SERVICE_NAME: 'x' }, false, false],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true, true],
      [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true, false],
      [{ OTEL_TRACES_EXPORTER: 'console' }, true, false],
      [{ OTEL_METRICS_EXPORTER: 'otlp' }, false, true],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_METRICS_EXPORTER: 'none' }, true, false],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, false, false],
    ];
    for (const [env, traces, metrics] of cases) assert.deepEqual(signalsAsked(env), { traces, metrics }, JSON.stringify(env));
  });

  it('load nothing of the SDK when they are off', async () => {
    const script = `
      const { registerHooks } = await import('node:module');
      registerHooks({ resolve: (name, context, next) => (console.log(name), next(name, context)) });
      const { startTelemetry, span } = await import('./dataplane/src/telemetry/traces.ts');
      await startTelemetry({});
      console.log('spans', span('x', {}, () => 7));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    assert.match(stdout, /@opentelemetry\/api/);
    assert.match(stdout, /spans 7/);
    assert.ok(!stdout.includes('sdk'), stdout);
  });

  it('give results and errors through, on or off, now or later', async () => {
    for (const on of [false, true]) {
      setTracing(on);
      try {
        assert.equal(
          span('a', {}, () => 1),
          1,
        );
        assert.equal(await span('a', {}, async () => 2), 2);
        assert.throws(
          () =>
            span('a', {}, () => {
              throw new Error('now');
            }),
          /now/,
        );
        await assert.rejects(
          span('a', {}, () => Promise.reject(new Error('later'))),
          /later/,
        );
      } finally {
        setTracing(false);
      }
    }
  });

  it('know the caller’s trace although nothing is exported', () => {
    assert.equal(
      requestSpan(
        { traceparent: PARENT },
        () => ({}),
        (request) => request.traceId,
      ),
      TRACE,
    );
    assert.equal(
      requestSpan(
        {},
        () => ({}),
        (request) => request.traceId,
      ),
      undefined,
    );
    assert.deepEqual(traceHeaders(), {});
  });

  it('read well-formed traceparents only', () => {
    assert.equal(traceIdOf(PARENT), TRACE);
    assert.equal(traceIdOf(`01-${TRACE}-00f067aa0ba902b7-01-more`), TRACE);
    for (const bad of [
      undefined,
      '',
      PARENT.toUpperCase(),
      `${PARENT}-more`,
      `ff${PARENT.slice(2)}`,
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
    ]) {
      assert.equal(traceIdOf(bad), undefined, String(bad));
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.ok(traceIdOf(text) === undefined || /^[0-9a-f]{32}$/.test(traceIdOf(text)!));
      }),
    );
  });

  it('reach a collector with a span per step, as children of the caller, and are passed on', async function () {
    this.timeout(20_000);
    const received: string[] = [];
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push(`${request.url} ${Buffer.concat(chunks).toString('utf8')}`);
        response.setHeader('content-type', 'application/json');
        response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const script = `
      const { startTelemetry, requestSpan, span, traceHeaders } = await import('./dataplane/src/telemetry/traces.ts');
      const { createMetrics } = await import('./dataplane/src/telemetry/metrics.ts');
      const telemetry = await startTelemetry();
      const metrics = createMetrics({ process: false });
      await requestSpan({ traceparent: '${PARENT}' }, () => ({ 'http.request.method': 'GET' }), async (request) => {
        await span('authenticate', {}, async () => console.log(traceHeaders().traceparent));
        request.name('s3.GetObject');
        request.end(500, () => ({}));
      });
      metrics.requestEnded({ operation: 's3.GetObject', status: 200, aborted: false, seconds: 1, bytesIn: 0, bytesOut: 0 });
      await telemetry.stop();
    `;
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    collector.close();
    assert.match(stdout, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01\\n$`));
    const traces = received.filter((each) => each.startsWith('/v1/traces')).join('');
    for (const expected of ['"name":"s3.GetObject"', '"name":"authenticate"', TRACE, '"00f067aa0ba902b7"', '"bonded"'])
      assert.ok(traces.includes(expected), `${expected} in ${traces}`);
    assert.ok(received.some((each) => each.startsWith('/v1/metrics') && each.includes('http.server.request.duration')));
    assert.ok(!received.some((each) => each.startsWith('/v1/logs')));
  });
});
