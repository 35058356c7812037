/** What is counted and timed, for Prometheus and, where OTEL_* asks for it, OpenTelemetry. Every label has a small closed set of values. */
import { createNoopMeter, metrics as openTelemetry, type Histogram as OpenTelemetryHistogram } from '@opentelemetry/api';
import cluster from 'node:cluster';
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { registerCounter, registerHistogram } from './series.ts';

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
  readonly error?: string | undefined;
}

/** One call to a storage location. */
export interface StorageFacts {
  /** Such as `records.write`. */
  readonly call: string;
  readonly seconds: number;
  /** An `ErrorCode` if it failed. */
  readonly error?: string;
}

/** What the scrub reports: bytes read again, digests by what came of them, and, from the process that makes the passes, how things stand. */
export interface ScrubMetrics {
  read(bytes: number): void;
  /** `outcome` is of a closed set. */
  examined(outcome: string): void;
  /** Ms since the epoch. */
  passed(location: string, finished: number): void;
  quarantined(location: string, digests: number): void;
  /** `kind` is of a closed set. */
  uploadDamaged(kind: string): void;
}

/** What rooms report to. */
export interface Metrics {
  requestBegan(): void;
  requestEnded(facts: RequestFacts): void;
  /** A body began to arrive (+1) or stopped (-1). */
  uploads(change: 1 | -1): void;
  connections(change: 1 | -1): void;
  storageCalled(facts: StorageFacts): void;
  scrub: ScrubMetrics;
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
  return { ...http, ...storage, scrub: scrubMetrics(registry), text: () => registry.metrics(), contentType: registry.contentType };
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
  const seriesOf = operationSeries(registry);
  const inFlight = new Gauge({ name: 'bonded_http_requests_in_flight', help: 'Requests under way.', registers });
  const uploads = new Gauge({ name: 'bonded_http_uploads_in_flight', help: 'Request bodies that are arriving.', registers });
  const connections = new Gauge({ name: 'bonded_http_connections', help: 'Open connections.', registers });
  const exported = exportedHistogram('http.server.request.duration', REQUEST_BUCKETS);
  return {
    requestBegan: () => inFlight.inc(),
    requestEnded(facts: RequestFacts) {
      const series = seriesOf(facts.operation);
      inFlight.dec();
      series.requests(facts.aborted ? 'aborted' : statusClass(facts.status))(1);
      series.duration(facts.seconds);
      if (facts.error !== undefined) series.errors(facts.error)(1);
      if (facts.bytesIn > 0) series.received(facts.bytesIn);
      if (facts.bytesOut > 0) series.sent(facts.bytesOut);
      exported?.record(facts.seconds, { 'bonded.operation': series.operation, 'http.response.status_code': facts.status });
    },
    uploads: (change: 1 | -1) => uploads.inc(change),
    connections: (change: 1 | -1) => connections.inc(change),
  };
}

/** What is counted of one operation, found once. */
function operationSeries(registry: Registry) {
  const requests = registerCounter(registry, {
    name: 'bonded_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['operation', 'status'],
  });
  const errors = registerCounter(registry, {
    name: 'bonded_http_errors_total',
    help: 'Requests that failed, by error code.',
    labelNames: ['operation', 'code'],
  });
  const duration = registerHistogram(registry, {
    name: 'bonded_http_request_duration_seconds',
    help: 'From the head of a request to the last byte of its answer.',
    label: 'operation',
    buckets: REQUEST_BUCKETS,
  });
  const received = registerCounter(registry, {
    name: 'bonded_http_received_bytes_total',
    help: 'Bytes of request bodies.',
    labelNames: ['operation'],
  });
  const sent = registerCounter(registry, {
    name: 'bonded_http_sent_bytes_total',
    help: 'Bytes of response bodies.',
    labelNames: ['operation'],
  });
  const operationLabel = boundedLabel();
  return perName(operationLabel, (operation) => ({
    operation,
    requests: perName(itself, (status) => requests({ operation, status })),
    errors: perName(itself, (code) => errors({ operation, code })),
    duration: duration(operation),
    received: received({ operation }),
    sent: sent({ operation }),
  }));
}

function storageMetrics(registry: Registry) {
  const duration = registerHistogram(registry, {
    name: 'bonded_storage_duration_seconds',
    help: 'Calls to storage; reading bytes counts to the first of them.',
    label: 'call',
    buckets: STORAGE_BUCKETS,
  });
  const errors = registerCounter(registry, {
    name: 'bonded_storage_errors_total',
    help: 'Calls to storage that failed, by error code.',
    labelNames: ['call', 'code'],
  });
  const exported = exportedHistogram('bonded.storage.duration', STORAGE_BUCKETS);
  const seriesOf = perName(itself, (call) => ({
    duration: duration(call),
    errors: perName(itself, (code) => errors({ call, code })),
  }));
  return {
    storageCalled({ call, seconds, error }: StorageFacts) {
      const series = seriesOf(call);
      series.duration(seconds);
      if (error !== undefined) series.errors(error)(1);
      exported?.record(seconds, { 'bonded.call': call });
    },
  };
}

/** Undefined where nobody exports: attributes need not be gathered then. */
function exportedHistogram(name: string, buckets: readonly number[]): OpenTelemetryHistogram | undefined {
  const meter = openTelemetry.getMeter('bonded');
  if (meter === createNoopMeter()) return undefined;
  return meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: [...buckets] } });
}

const itself = (name: string): string => name;

/** Remembers what `make` made of a name, after `label` bounded how many there are. */
function perName<Name extends string | undefined, Made>(
  label: (name: Name) => string,
  make: (label: string) => Made,
): (name: Name) => Made {
  const made = new Map<Name, Made>();
  const ofLabel = new Map<string, Made>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const bounded = label(name);
    const one = ofLabel.get(bounded) ?? make(bounded);
    ofLabel.set(bounded, one);
    // Names beyond the bound share what is made, and are not remembered: there may be any number of them.
    if (bounded === name || name === undefined) made.set(name, one);
    return one;
  };
}

function scrubMetrics(registry: Registry): ScrubMetrics {
  const registers = [registry];
  const bytes = new Counter({ name: 'bonded_scrub_read_bytes_total', help: 'Stored bytes that were read again.', registers });
  const digests = new Counter({
    name: 'bonded_scrub_digests_total',
    help: 'Digests whose bytes were read again, by what came of it.',
    labelNames: ['outcome'],
    registers,
  });
  const finished = new Gauge({
    name: 'bonded_scrub_last_pass_timestamp_seconds',
    help: 'When the last pass over all digests came to its end.',
    labelNames: ['location'],
    registers,
  });
  const quarantined = new Gauge({
    name: 'bonded_scrub_quarantined_digests',
    help: 'Digests whose bytes are not given out because they are damaged.',
    labelNames: ['location'],
    registers,
  });
  const uploads = new Counter({
    name: 'bonded_upload_damage_total',
    help: 'Completions that were refused because stored bytes of the upload were damaged, by what is wrong.',
    labelNames: ['kind'],
    registers,
  });
  return {
    read: (count) => bytes.inc(count),
    examined: (outcome) => digests.inc({ outcome }),
    passed: (location, ms) => finished.set({ location }, ms / 1000),
    quarantined: (location, count) => quarantined.set({ location }, count),
    uploadDamaged: (kind) => uploads.inc({ kind }),
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

const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'];

function statusClass(status: number): string {
  return STATUS_CLASSES[Math.floor(status / 100)] ?? 'other';
}
