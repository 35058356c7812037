/** JSON lines on stdout: one per request at `info`, and whatever an operator must know. No secret passes (see redact.ts). */
import cluster from 'node:cluster';
import { pino, type DestinationStream, type Logger } from 'pino';
import { safeText, safeValue } from './redact.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** What rooms write to. `child` binds fields such as `requestId` to every line. */
export type Log = Logger;

/** A destination that holds lines back for up to this many ms, so that a busy server writes in batches. */
const FLUSH_MS = 250;

/**
 * The most that one write holds, in bytes. Where several processes share one stdout it is less than what a pipe takes as a
 * whole (4,096 bytes), so that their lines never mix.
 */
const MAX_WRITE = cluster.isWorker ? 4000 : 64 * 1024;

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines go; stdout when absent. */
  readonly destination?: DestinationStream;
  /** Fields of every line, such as the worker's number. */
  readonly fields?: Readonly<Record<string, string | number>>;
}

/** Makes the log of a process. Its lines have `time` (ISO 8601, UTC), `level`, `msg` and the fields given. */
export function createLog(options: LogOptions): Log {
  const log = pino(
    {
      level: options.level,
      base: safeFields(options.fields ?? {}),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: safeFields },
      serializers: { msg: safeText, err: (error: unknown) => error },
    },
    options.destination ?? stdout(),
  );
  const child = Reflect.get(log, 'child') as unknown as (this: Log, fields: object) => Log;
  // The fields of children pass no formatter of pino's. Children of children find this function through them.
  const safeChild = function (this: Log, fields: object): Log {
    return child.call(this, safeFields(fields));
  };
  return Object.assign(log, { child: safeChild as unknown as Log['child'] });
}

function safeFields(fields: object): Record<string, unknown> {
  return safeValue(fields) as Record<string, unknown>;
}

/** A log that writes nothing: for tests and tools. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

function stdout(): DestinationStream {
  return pino.destination({ dest: 1, sync: false, minLength: MAX_WRITE / 2, maxWrite: MAX_WRITE, periodicFlush: FLUSH_MS });
}
