import assert from 'node:assert/strict';
import { createMetrics, type RequestFacts } from '../../src/telemetry/metrics.ts';

const FACTS: RequestFacts = { operation: 's3.GetObject', status: 200, aborted: false, seconds: 0.02, bytesIn: 3, bytesOut: 5 };

describe('metrics', () => {
  it('count requests by operation, status class, error and bytes', async () => {
    const metrics = createMetrics({ process: false });
    for (const facts of [FACTS, { ...FACTS, status: 206 }, { ...FACTS, status: 404, error: 'NameUnknown' }, { ...FACTS, aborted: true }]) {
      metrics.requestBegan();
      metrics.requestEnded(facts);
    }
    const text = await metrics.text();
    assert.match(text, /bonded_http_requests_total\{operation="s3\.GetObject",status="2xx"\} 2/);
    assert.match(text, /bonded_http_requests_total\{operation="s3\.GetObject",status="4xx"\} 1/);
    assert.match(text, /bonded_http_requests_total\{operation="s3\.GetObject",status="aborted"\} 1/);
    assert.match(text, /bonded_http_errors_total\{operation="s3\.GetObject",code="NameUnknown"\} 1/);
    assert.match(text, /bonded_http_received_bytes_total\{operation="s3\.GetObject"\} 12/);
    assert.match(text, /bonded_http_sent_bytes_total\{operation="s3\.GetObject"\} 20/);
    assert.match(text, /bonded_http_request_duration_seconds_bucket\{le="0\.025",operation="s3\.GetObject"\} 4/);
    assert.match(text, /bonded_http_requests_in_flight 0/);
  });

  it('keep their label sets small, whatever is asked', async () => {
    const metrics = createMetrics({ process: false });
    for (let n = 0; n < 2000; n++) metrics.requestEnded({ ...FACTS, operation: `made.Up${n}` });
    metrics.requestEnded({ ...FACTS, operation: undefined, status: 404 });
    const text = await metrics.text();
    const operations = new Set([...text.matchAll(/operation="([^"]+)"/g)].map((match) => match[1]));
    assert.ok(operations.size <= 502, `${operations.size} operations`);
    assert.ok(operations.has('other') && operations.has('unknown'));
  });

  it('time storage by kind of call', async () => {
    const metrics = createMetrics({ process: false });
    metrics.storageCalled({ call: 'records.write', seconds: 0.0004 });
    metrics.storageCalled({ call: 'records.write', seconds: 0.2, error: 'Conflict' });
    const text = await metrics.text();
    assert.match(text, /bonded_storage_duration_seconds_count\{call="records\.write"\} 2/);
    assert.match(text, /bonded_storage_errors_total\{call="records\.write",code="Conflict"\} 1/);
  });

  it('tell of the process, its event loop included', async () => {
    const text = await createMetrics({ process: true }).text();
    assert.match(text, /nodejs_eventloop_lag_p99_seconds \d/);
    assert.match(text, /process_resident_memory_bytes \d/);
  });
});
