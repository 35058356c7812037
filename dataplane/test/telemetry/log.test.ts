import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { createLog, type LogLevel } from '../../src/telemetry/log.ts';

function lines(level: LogLevel): { destination: Writable; read(): Record<string, unknown>[]; level: LogLevel } {
  const chunks: string[] = [];
  const destination = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk.toString()), done()) });
  return { level, destination, read: () => chunks.map((chunk) => JSON.parse(chunk) as Record<string, unknown>) };
}

describe('the log', () => {
  it('writes one JSON line each, with time, level by name, message and the fields of the process', () => {
    const out = lines('info');
    createLog({ ...out, fields: { worker: 2 } }).warn({ requestId: 'r' }, 'careful');
    const [line] = out.read();
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual({ ...line, time: 0 }, { time: 0, level: 'warn', worker: 2, requestId: 'r', msg: 'careful' });
  });

  it('keeps to its level', () => {
    const out = lines('warn');
    const log = createLog(out);
    log.info('quiet');
    log.error('loud');
    assert.deepEqual(
      out.read().map((line) => line['msg']),
      ['loud'],
    );
  });
});
