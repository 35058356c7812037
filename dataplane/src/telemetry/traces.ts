/**
 * OpenTelemetry by the standard OTEL_* variables. Without them nothing of the SDK is loaded and a span costs one test of
 * a variable; the caller's W3C trace id is in logs and journal all the same.
 */
import { context, propagation, SpanKind, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const INSTRUMENTATION = 'bonded';

let exporting = false;

type Environment = Readonly<Record<string, string | undefined>>;

/** Which signals the environment asks to export: an exporter by name, or an OTLP endpoint and no `none`. */
export function signalsAsked(env: Environment): { readonly traces: boolean; readonly metrics: boolean } {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return { traces: false, metrics: false };
  return { traces: signalAsked(env, 'TRACES'), metrics: signalAsked(env, 'METRICS') };
}

function signalAsked(env: Environment, signal: 'TRACES' | 'METRICS'): boolean {
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim();
  if (exporter) return exporter !== 'none';
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
}

/** Starts exporting if the environment asks for it; answers how to flush and stop. Call once, before anything is measured. */
export async function startTelemetry(env: Environment = process.env): Promise<{ stop(): Promise<void> }> {
  const asked = signalsAsked(env);
  if (!asked.traces && !asked.metrics) return { stop: () => Promise.resolve() };
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const named = env['OTEL_SERVICE_NAME'] || env['OTEL_RESOURCE_ATTRIBUTES']?.includes('service.name=');
  const sdk = new NodeSDK({
    ...(named ? {} : { serviceName: 'bonded' }),
    ...(asked.traces ? {} : { spanProcessors: [] }),
    ...(asked.metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
  });
  sdk.start();
  exporting = asked.traces;
  return {
    async stop() {
      exporting = false;
      await sdk.shutdown();
    },
  };
}

/** For tests: spans are made with whatever tracer provider is registered. */
export function setTracing(on: boolean): void {
  exporting = on;
}

/** Runs `work` in a span of this name; it ends when the result, or the promise of it, is there, and keeps what was thrown. */
export function span<T>(name: string, attributes: Attributes, work: () => T): T {
  if (!exporting) return work();
  return trace.getTracer(INSTRUMENTATION).startActiveSpan(name, { attributes }, (active) => settle(active, work));
}

/** The span of a whole request. */
export interface RequestSpan {
  /** Of the caller's trace if there is one, else of a new one; undefined when there is neither. */
  readonly traceId: string | undefined;
  /** Names it once the operation is known. */
  name(operation: string): void;
  /** Ends it; statuses from 500 mark it as failed. */
  end(status: number, attributes: () => Attributes): void;
}

const nothing = (): void => {};
const WITHOUT_TRACE: RequestSpan = { traceId: undefined, name: nothing, end: nothing };

function withoutSpan(traceparent: string | undefined): RequestSpan {
  return traceparent === undefined ? WITHOUT_TRACE : { ...WITHOUT_TRACE, traceId: traceIdOf(traceparent) };
}

/** Runs `work` in the server span of a request, as a child of the `traceparent` that came with it. */
export function requestSpan<T>(
  headers: Readonly<Record<string, string | undefined>>,
  attributes: () => Attributes,
  work: (request: RequestSpan) => T,
): T {
  if (!exporting) return work(withoutSpan(headers['traceparent']));
  const parent = propagation.extract(context.active(), headers);
  const options = { kind: SpanKind.SERVER, attributes: attributes() };
  return trace.getTracer(INSTRUMENTATION).startActiveSpan('request', options, parent, (active) => work(asRequestSpan(active)));
}

function asRequestSpan(active: Span): RequestSpan {
  return {
    traceId: active.spanContext().traceId,
    name: (operation) => {
      active.updateName(operation);
      active.setAttribute('bonded.operation', operation);
    },
    end: (status, attributes) => {
      active.setAttributes({ ...attributes(), 'http.response.status_code': status });
      if (status >= 500) active.setStatus({ code: SpanStatusCode.ERROR });
      active.end();
    },
  };
}

/** Headers that carry the present trace on to another service; empty when none is exported. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  if (exporting) propagation.inject(context.active(), headers);
  return headers;
}

/** The trace id of a well-formed `traceparent` (W3C Trace Context §3.2), else undefined. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || traceparent.length > 256) return undefined;
  const parts = TRACEPARENT.exec(traceparent.trim());
  const surplus = parts?.[1] === '00' && parts[5] !== undefined;
  return parts && !surplus ? parts[2] : undefined;
}

function settle<T>(active: Span, work: () => T): T {
  try {
    const result = work();
    if (!isPromise(result)) {
      active.end();
      return result;
    }
    return result.then(
      (value) => {
        active.end();
        return value;
      },
      (reason: unknown) => fail(active, reason),
    ) as T;
  } catch (thrown) {
    return fail(active, thrown);
  }
}

/** Names and codes only: messages of foreign errors may hold what must not be exported. */
function fail(active: Span, thrown: unknown): never {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  active.setAttribute('error.type', typeof code === 'string' ? code : thrown instanceof Error ? thrown.name : typeof thrown);
  active.setStatus({ code: SpanStatusCode.ERROR });
  active.end();
  throw thrown;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}
