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
  /** When stopping: how long transfers under way may still take. */
  readonly drainMs: number;
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

/** Every variable there is. */
const VARIABLES = {
  BONDED_LISTEN: address,
  BONDED_METRICS_LISTEN: address,
  BONDED_DATA: path,
  BONDED_MANIFESTS: path,
  BONDED_OIDC_ISSUERS: file,
  BONDED_DOMAIN: domains,
  BONDED_REGION: pattern(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and hyphens'),
  BONDED_WORKERS: integer(1, 256),
  BONDED_TLS_CERT: file,
  BONDED_TLS_KEY: file,
  BONDED_TRUSTED_PROXIES: networks,
  BONDED_LOG_LEVEL: choice(LOG_LEVELS),
  BONDED_SIGNING_KEY_FILE: path,
  BONDED_MAX_HEADER_BYTES: size(8 * 1024, 1024 * 1024),
  BONDED_HEADERS_TIMEOUT: duration(SECOND, HOUR),
  BONDED_IDLE_TIMEOUT: duration(SECOND, HOUR),
  BONDED_MIN_RATE: size(0, 1024 ** 3),
  BONDED_SEND_TIMEOUT: duration(SECOND, HOUR),
  BONDED_KEEP_ALIVE: duration(SECOND, HOUR),
  BONDED_MAX_CONNECTIONS: integer(1, 1_000_000),
  BONDED_GRACE: duration(MINUTE, 365 * 24 * HOUR),
  BONDED_UPLOAD_LIFE: duration(MINUTE, 365 * 24 * HOUR),
  BONDED_DRAIN: duration(0, 24 * HOUR),
} as const satisfies Readonly<Record<string, Read<unknown>>>;

type Name = keyof typeof VARIABLES;
type Values = { readonly [N in Name]?: Exclude<ReturnType<(typeof VARIABLES)[N]>, { readonly problem: string }> };

/** Reads the variables. Throws `InvalidArgument` that names every one which is unknown or has a bad value. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = unknownVariables(environment);
  const values: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(VARIABLES)) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const value = read(text);
    if (typeof value === 'object' && 'problem' in value) problems.push(`${name} ${value.problem}`);
    else values[name] = value;
  }
  if ((values.BONDED_TLS_CERT === undefined) !== (values.BONDED_TLS_KEY === undefined)) {
    problems.push('BONDED_TLS_CERT and BONDED_TLS_KEY are given together or not at all');
  }
  if (problems.length > 0) throw new ArtefactError('InvalidArgument', `The environment cannot be used: ${problems.join('; ')}.`);
  return settingsOf(values as Values);
}

function settingsOf(values: Values): Settings {
  const data = values.BONDED_DATA ?? resolve('data');
  return {
    listen: values.BONDED_LISTEN ?? { host: '127.0.0.1', port: 8080 },
    metricsListen: values.BONDED_METRICS_LISTEN ?? { host: '127.0.0.1', port: 9464 },
    data,
    manifests: values.BONDED_MANIFESTS ?? resolve('config/standalone'),
    ...(values.BONDED_OIDC_ISSUERS !== undefined && { issuersFile: values.BONDED_OIDC_ISSUERS }),
    domains: values.BONDED_DOMAIN ?? [],
    region: values.BONDED_REGION ?? 'us-east-1',
    workers: values.BONDED_WORKERS ?? availableParallelism(),
    ...tlsOf(values),
    trustedProxies: values.BONDED_TRUSTED_PROXIES ?? [],
    logLevel: values.BONDED_LOG_LEVEL ?? 'info',
    signingKeyFile: values.BONDED_SIGNING_KEY_FILE ?? join(data, 'signing-key'),
    limits: limitsOf(values),
    graceMs: values.BONDED_GRACE ?? HOUR,
    uploadLifeMs: values.BONDED_UPLOAD_LIFE ?? 7 * 24 * HOUR,
    drainMs: values.BONDED_DRAIN ?? 5 * MINUTE,
  };
}

function tlsOf({ BONDED_TLS_CERT: certificate, BONDED_TLS_KEY: key }: Values): Pick<Settings, 'tls'> {
  return certificate === undefined || key === undefined ? {} : { tls: { certificate, key } };
}

function limitsOf(values: Values): LimitSettings {
  return {
    headerBytes: values.BONDED_MAX_HEADER_BYTES ?? 16 * 1024,
    headersMs: values.BONDED_HEADERS_TIMEOUT ?? 20 * SECOND,
    bodyIdleMs: values.BONDED_IDLE_TIMEOUT ?? 30 * SECOND,
    bodyMinRate: values.BONDED_MIN_RATE ?? 1024,
    sendIdleMs: values.BONDED_SEND_TIMEOUT ?? MINUTE,
    keepAliveMs: values.BONDED_KEEP_ALIVE ?? 65 * SECOND,
    maxConnections: values.BONDED_MAX_CONNECTIONS ?? 10_000,
  };
}

/** A name that is spelt wrongly would otherwise be a setting that its author believes in. */
function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const unknown = Object.keys(environment).filter((name) => name.startsWith('BONDED_') && !Object.hasOwn(VARIABLES, name));
  return unknown.map((name) => `${name} is not known`);
}
