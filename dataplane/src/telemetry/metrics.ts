/** What is counted and timed, for Prometheus and, where OTEL_* asks for it, OpenTelemetry. Every label has a small closed set of values. */
import { metrics as openTelemetry } from '@opentelemetry/api';
import cluster from 'node:cluster';
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One request that has ended. */
export interface RequestFacts {
  /** From a protocol's table; undefined when nothing was recognised. */
  readonly operation: string | undefined;
  readonly status: number;
  /** The client went away before the answer was complete. */
  readonly aborted: boolean;
  readonly seconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** An `ErrorCode` if it failed. */
  readonly error?: string;
}

/** One call to a storage location. */
export interface StorageFacts {
  /** Such as `records.write`. */
  readonly call: string;
  readonly seconds: number;
  /** An `ErrorCode` if it failed. */
  readonly error?: string;
}

/** What rooms report to. */
export interface Metrics {
  requestBegan(): void;
  requestEnded(facts: RequestFacts): void;
  /** A body began to arrive (+1) or stopped (-1). */
  uploads(change: 1 | -1): void;
  connections(change: 1 | -1): void;
  storageCalled(facts: StorageFacts): void;
  /** Prometheus' text format, of this process. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Operations beyond this many are counted as `other`: a label set cannot grow without bound, whatever a protocol does. */
const MAX_OPERATIONS = 500;

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const STORAGE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/**
 * Makes the metrics of this process. With `process`, memory, CPU, file descriptors, garbage collection and event-loop lag
 * are among them. In a cluster's worker they are handed to the primary when it asks (`clusterMetrics`).
 */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  if (cluster.isWorker) shareWithPrimary(registry);
  const http = httpMetrics(registry);
  const storage = storageMetrics(registry);
  return { ...http, ...storage, text: () => registry.metrics(), contentType: registry.contentType };
}

/** What a cluster's primary reports. */
export interface ClusterMetrics {
  /** The sums over all workers, and the primary's own. Fails when a worker does not answer within five seconds. */
  text(): Promise<string>;
  readonly contentType: string;
  /** So many workers serve. */
  workers(count: number): void;
  /** A worker was started again. */
  restarted(): void;
}

export function createClusterMetrics(): ClusterMetrics {
  const all = new AggregatorRegistry();
  const own = new Registry();
  const workers = new Gauge({ name: 'bonded_workers', help: 'Worker processes that serve.', registers: [own] });
  const restarts = new Counter({ name: 'bonded_worker_restarts_total', help: 'Workers that were started again.', registers: [own] });
  return {
    text: async () => (await all.clusterMetrics()) + (await own.metrics()),
    contentType: own.contentType,
    workers: (count) => workers.set(count),
    restarted: () => restarts.inc(),
  };
}

function shareWithPrimary(registry: Registry): void {
  AggregatorRegistry.setRegistries([registry]);
  // Its constructor begins to answer the primary's questions.
  new AggregatorRegistry();
}

function httpMetrics(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'bonded_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const errors = new Counter({
    name: 'bonded_http_errors_total',
    help: 'Requests that failed, by error code.',
    labelNames: ['operation', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'bonded_http_request_duration_seconds',
    help: 'From the head of a request to the last byte of its answer.',
    labelNames: ['operation'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const received = new Counter({
    name: 'bonded_http_received_bytes_total',
    help: 'Bytes of request bodies.',
    labelNames: ['operation'],
    registers,
  });
  const sent = new Counter({
    name: 'bonded_http_sent_bytes_total',
    help: 'Bytes of response bodies.',
    labelNames: ['operation'],
    registers,
  });
  const inFlight = new Gauge({ name: 'bonded_http_requests_in_flight', help: 'Requests under way.', registers });
  const uploads = new Gauge({ name: 'bonded_http_uploads_in_flight', help: 'Request bodies that are arriving.', registers });
  const connections = new Gauge({ name: 'bonded_http_connections', help: 'Open connections.', registers });
  const exported = openTelemetry
    .getMeter('bonded')
    .createHistogram('http.server.request.duration', { unit: 's', advice: { explicitBucketBoundaries: REQUEST_BUCKETS } });
  const operationLabel = boundedLabel();
  return {
    requestBegan: () => inFlight.inc(),
    requestEnded(facts: RequestFacts) {
      const operation = operationLabel(facts.operation);
      const status = facts.aborted ? 'aborted' : statusClass(facts.status);
      inFlight.dec();
      requests.inc({ operation, status });
      duration.observe({ operation }, facts.seconds);
      if (facts.error !== undefined) errors.inc({ operation, code: facts.error });
      if (facts.bytesIn > 0) received.inc({ operation }, facts.bytesIn);
      if (facts.bytesOut > 0) sent.inc({ operation }, facts.bytesOut);
      exported.record(facts.seconds, { 'bonded.operation': operation, 'http.response.status_code': facts.status });
    },
    uploads: (change: 1 | -1) => uploads.inc(change),
    connections: (change: 1 | -1) => connections.inc(change),
  };
}

function storageMetrics(registry: Registry) {
  const registers = [registry];
  const duration = new Histogram({
    name: 'bonded_storage_duration_seconds',
    help: 'Calls to storage; reading bytes counts to the first of them.',
    labelNames: ['call'],
    buckets: STORAGE_BUCKETS,
    registers,
  });
  const errors = new Counter({
    name: 'bonded_storage_errors_total',
    help: 'Calls to storage that failed, by error code.',
    labelNames: ['call', 'code'],
    registers,
  });
  const exported = openTelemetry
    .getMeter('bonded')
    .createHistogram('bonded.storage.duration', { unit: 's', advice: { explicitBucketBoundaries: STORAGE_BUCKETS } });
  return {
    storageCalled(facts: StorageFacts) {
      duration.observe({ call: facts.call }, facts.seconds);
      if (facts.error !== undefined) errors.inc({ call: facts.call, code: facts.error });
      exported.record(facts.seconds, { 'bonded.call': facts.call });
    },
  };
}

/** `unknown` for what no table names, `other` beyond the bound. */
function boundedLabel(): (operation: string | undefined) => string {
  const known = new Set<string>();
  return (operation) => {
    if (operation === undefined) return 'unknown';
    if (known.has(operation)) return operation;
    if (known.size >= MAX_OPERATIONS) return 'other';
    known.add(operation);
    return operation;
  };
}

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}
