/** How the values of environment variables are written. Each reader answers the value, or what is wrong, in words that follow the name. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';

export interface Wrong {
  readonly problem: string;
}

/** Reads the text of one variable. */
export type Read<Value> = (text: string) => Value | Wrong;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; `:8080` is every address of the machine. */
export function address(text: string): Address | Wrong {
  const [, bracketed, plain = '', digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) > 65_535) return { problem: 'must be <host>:<port>, such as 127.0.0.1:8080' };
  if (bracketed !== undefined && !ipaddr.IPv6.isValid(bracketed)) return { problem: 'has no IPv6 address between its brackets' };
  return { host: bracketed ?? (plain === '' ? '::' : plain), port: Number(digits) };
}

/** A path, from the working directory. */
export function path(text: string): string {
  return resolve(text);
}

/** A file that is there and can be read. */
export function file(text: string): string | Wrong {
  const absolute = resolve(text);
  try {
    if (!statSync(absolute).isFile()) return { problem: 'names something that is not a file' };
    accessSync(absolute, constants.R_OK);
    return absolute;
  } catch (error) {
    return { problem: `names a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
}

/** DNS names, separated by commas. */
export function domains(text: string): readonly string[] | Wrong {
  const names = list(text).map((name) => name.toLowerCase());
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  const wrong = names.find((name) => name.length > 253 || !name.split('.').every((part) => label.test(part)) || ipaddr.isValid(name));
  return wrong === undefined ? names : { problem: 'must be a list of DNS names without ports, separated by commas' };
}

/** IP addresses and CIDR networks, separated by commas. */
export function networks(text: string): readonly string[] | Wrong {
  const names = list(text);
  const isNetwork = (name: string): boolean => (name.includes('/') ? ipaddr.isValidCIDR(name) : ipaddr.isValid(name));
  return names.every(isNetwork) ? names : { problem: 'must be a list of IP addresses or CIDR networks, separated by commas' };
}

export function pattern(form: RegExp, words: string): Read<string> {
  return (text) => (form.test(text) ? text : { problem: `must consist of ${words}` });
}

export function choice<const Of extends string>(choices: readonly Of[]): Read<Of> {
  return (text) => choices.find((one) => one === text) ?? { problem: `must be one of ${choices.join(', ')}` };
}

export function integer(least: number, most: number): Read<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : { problem: `must be a whole number from ${least} to ${most}` };
  };
}

const SIZES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** Bytes: `65536`, `64KiB`. */
export function size(least: number, most: number): Read<number> {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,15})(KiB|MiB|GiB|TiB)?$/.exec(text) ?? [];
    const value = digits === undefined ? Number.NaN : Number(digits) * (SIZES[unit] ?? Number.NaN);
    return value >= least && value <= most ? value : { problem: `must be a size from ${least} to ${most} bytes, such as 65536 or 64KiB` };
  };
}

const TIMES: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time with its unit, in ms: `500ms`, `30s`, `5m`, `24h`, `7d`. */
export function duration(least: number, most: number): Read<number> {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
    const value = digits === undefined ? Number.NaN : Number(digits) * (TIMES[unit] ?? Number.NaN);
    return value >= least && value <= most
      ? value
      : { problem: `must be a time from ${least}ms to ${most}ms with its unit, such as 30s, 5m or 24h` };
  };
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
