/** What the environment says, read once at the start: every variable, its default, and a refusal of whatever is not understood. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { ArtefactError } from '../errors.ts';
import {
  address,
  choice,
  domains,
  duration,
  file,
  integer,
  networks,
  pattern,
  path,
  size,
  type Address,
  type Read,
  type Wrong,
} from './settingValues.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Times in ms, sizes in bytes, paths absolute. */
export interface Settings {
  /** Where clients are served. Port 0 picks a free one. */
  readonly listen: Address;
  readonly metricsListen: Address;
  readonly data: string;
  readonly manifests: string;
  /** The file of trusted issuers; without one, no token is trusted. */
  readonly issuersFile?: string;
  /** The file of the storage location; without one, content is kept in the data directory. */
  readonly storageFile?: string;
  /** Base domains of virtual-hosted style, lower case. */
  readonly domains: readonly string[];
  readonly region: string;
  /** Processes that serve. */
  readonly workers: number;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Addresses and CIDR networks whose forwarding headers count. */
  readonly trustedProxies: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly signingKeyFile: string;
  readonly limits: LimitSettings;
  /** What nothing names any more stays this long. */
  readonly graceMs: number;
  /** An upload that is not completed is aborted after this. */
  readonly uploadLifeMs: number;
  readonly scrub: ScrubSettings;
  /** When stopping: how long transfers under way may still take. */
  readonly drainMs: number;
}

/** How stored bytes are read again; docs/scrub.md says more. */
export interface ScrubSettings {
  /** 0: not at all. */
  readonly bytesPerSecond: number;
  readonly digestsPerSecond: number;
  /** From the start of one pass over everything to that of the next. */
  readonly period: number;
}

/** What one client may take; docs/limits.md says what each does. */
export interface LimitSettings {
  readonly headerBytes: number;
  readonly headersMs: number;
  readonly bodyIdleMs: number;
  /** Bytes per second. */
  readonly bodyMinRate: number;
  readonly sendIdleMs: number;
  readonly keepAliveMs: number;
  readonly maxConnections: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A variable: how it is read, and what holds when it is not given. */
interface Variable<Value, Otherwise> {
  readonly read: Read<Value>;
  readonly otherwise: Otherwise;
}

function variable<Value, Otherwise>(read: Read<Value>, otherwise: Otherwise): Variable<Value, Otherwise> {
  return { read, otherwise };
}

/** Every variable there is. */
const VARIABLES = {
  BONDED_LISTEN: variable(address, { host: '127.0.0.1', port: 8080 }),
  BONDED_METRICS_LISTEN: variable(address, { host: '127.0.0.1', port: 9464 }),
  BONDED_DATA: variable(path, resolve('data')),
  BONDED_MANIFESTS: variable(path, resolve('config/standalone')),
  BONDED_OIDC_ISSUERS: variable(file, undefined),
  BONDED_STORAGE: variable(file, undefined),
  BONDED_DOMAIN: variable(domains, []),
  BONDED_REGION: variable(pattern(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and hyphens'), 'us-east-1'),
  BONDED_WORKERS: variable(integer(1, 256), availableParallelism()),
  BONDED_TLS_CERT: variable(file, undefined),
  BONDED_TLS_KEY: variable(file, undefined),
  BONDED_TRUSTED_PROXIES: variable(networks, []),
  BONDED_LOG_LEVEL: variable(choice(LOG_LEVELS), 'info' as const),
  BONDED_SIGNING_KEY_FILE: variable(path, undefined),
  BONDED_MAX_HEADER_BYTES: variable(size(8 * 1024, 1024 * 1024), 16 * 1024),
  BONDED_HEADERS_TIMEOUT: variable(duration(SECOND, HOUR), 20 * SECOND),
  BONDED_IDLE_TIMEOUT: variable(duration(SECOND, HOUR), 30 * SECOND),
  BONDED_MIN_RATE: variable(size(0, 1024 ** 3), 1024),
  BONDED_SEND_TIMEOUT: variable(duration(SECOND, HOUR), MINUTE),
  BONDED_KEEP_ALIVE: variable(duration(SECOND, HOUR), 65 * SECOND),
  BONDED_MAX_CONNECTIONS: variable(integer(1, 1_000_000), 10_000),
  BONDED_GRACE: variable(duration(MINUTE, YEAR), HOUR),
  BONDED_UPLOAD_LIFE: variable(duration(MINUTE, YEAR), 7 * DAY),
  BONDED_SCRUB_RATE: variable(size(0, 1024 ** 4), 20 * 1024 ** 2),
  BONDED_SCRUB_DIGESTS: variable(integer(1, 1_000_000), 200),
  BONDED_SCRUB_PERIOD: variable(duration(MINUTE, YEAR), 7 * DAY),
  BONDED_DRAIN: variable(duration(0, DAY), 5 * MINUTE),
} as const;

type Name = keyof typeof VARIABLES;
type ValueOf<Of> = Of extends Variable<infer Value, infer Otherwise> ? Value | Otherwise : never;
type Values = { readonly [N in Name]: ValueOf<(typeof VARIABLES)[N]> };

/** Reads the variables. Throws `InvalidArgument` that names every one which is unknown or has a bad value. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = unknownVariables(environment);
  const values: Record<string, unknown> = {};
  for (const [name, { read, otherwise }] of Object.entries(VARIABLES)) {
    const text = environment[name] ?? '';
    const value: unknown = text === '' ? otherwise : read(text);
    if (isWrong(value)) problems.push(`${name} ${value.problem}`);
    else values[name] = value;
  }
  if ((values.BONDED_TLS_CERT === undefined) !== (values.BONDED_TLS_KEY === undefined)) {
    problems.push('BONDED_TLS_CERT and BONDED_TLS_KEY are given together or not at all');
  }
  if (problems.length > 0) throw new ArtefactError('InvalidArgument', `The environment cannot be used: ${problems.join('; ')}.`);
  return settingsOf(values as Values);
}

function settingsOf(values: Values): Settings {
  return {
    listen: values.BONDED_LISTEN,
    metricsListen: values.BONDED_METRICS_LISTEN,
    data: values.BONDED_DATA,
    manifests: values.BONDED_MANIFESTS,
    ...(values.BONDED_OIDC_ISSUERS !== undefined && { issuersFile: values.BONDED_OIDC_ISSUERS }),
    ...(values.BONDED_STORAGE !== undefined && { storageFile: values.BONDED_STORAGE }),
    domains: values.BONDED_DOMAIN,
    region: values.BONDED_REGION,
    workers: values.BONDED_WORKERS,
    ...tlsOf(values),
    trustedProxies: values.BONDED_TRUSTED_PROXIES,
    logLevel: values.BONDED_LOG_LEVEL,
    signingKeyFile: values.BONDED_SIGNING_KEY_FILE ?? join(values.BONDED_DATA, 'signing-key'),
    limits: limitsOf(values),
    graceMs: values.BONDED_GRACE,
    uploadLifeMs: values.BONDED_UPLOAD_LIFE,
    scrub: {
      bytesPerSecond: values.BONDED_SCRUB_RATE,
      digestsPerSecond: values.BONDED_SCRUB_DIGESTS,
      period: values.BONDED_SCRUB_PERIOD,
    },
    drainMs: values.BONDED_DRAIN,
  };
}

function tlsOf({ BONDED_TLS_CERT: certificate, BONDED_TLS_KEY: key }: Values): Pick<Settings, 'tls'> {
  return certificate === undefined || key === undefined ? {} : { tls: { certificate, key } };
}

function limitsOf(values: Values): LimitSettings {
  return {
    headerBytes: values.BONDED_MAX_HEADER_BYTES,
    headersMs: values.BONDED_HEADERS_TIMEOUT,
    bodyIdleMs: values.BONDED_IDLE_TIMEOUT,
    bodyMinRate: values.BONDED_MIN_RATE,
    sendIdleMs: values.BONDED_SEND_TIMEOUT,
    keepAliveMs: values.BONDED_KEEP_ALIVE,
    maxConnections: values.BONDED_MAX_CONNECTIONS,
  };
}

function isWrong(value: unknown): value is Wrong {
  return typeof value === 'object' && value !== null && 'problem' in value;
}

/** A name that is spelt wrongly would otherwise be a setting that its author believes in. */
function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const unknown = Object.keys(environment).filter((name) => name.startsWith('BONDED_') && !Object.hasOwn(VARIABLES, name));
  return unknown.map((name) => `${name} is not known`);
}
