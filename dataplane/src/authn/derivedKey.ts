/** SigV4 signing keys: derived from a secret for one day, region and service, and kept since a client reuses them all day. */
import { createHmac } from 'node:crypto';
import type { Credential } from './credentialScope.ts';
import { hmacKey, hmacSha256, type HmacKey } from './hmac.ts';
import { createRecent } from './recent.ts';

/** Answers the signing key of a secret within a scope. */
export type DerivedKeys = (secretAccessKey: string, scope: Pick<Credential, 'date' | 'region' | 'service'>) => Buffer;

/** A cache of at most `limit` derived keys, least recently used first out. The secret is part of its key: a new secret misses. */
export function createDerivedKeys(limit = 1024): DerivedKeys {
  const kept = createRecent<Buffer>(limit);
  return (secretAccessKey, scope) => {
    const name = [secretAccessKey, scope.date, scope.region, scope.service].join('\n');
    const known = kept.get(name);
    if (known !== undefined) return known;
    const key = deriveKey(secretAccessKey, scope);
    kept.set(name, key);
    return key;
  };
}

function deriveKey(secretAccessKey: string, scope: Pick<Credential, 'date' | 'region' | 'service'>): Buffer {
  const steps = [scope.date, scope.region, scope.service, 'aws4_request'];
  return steps.reduce<Buffer>((key, step) => hmac(key, step), Buffer.from(`AWS4${secretAccessKey}`, 'utf8'));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

const ready = new WeakMap<Buffer, HmacKey>();

/** Lower-case hex HMAC-SHA256 of a text that holds one byte a character. Nobody changes a key. */
export function signText(key: Buffer, text: string): string {
  let made = ready.get(key);
  if (made === undefined) {
    made = hmacKey(key);
    ready.set(key, made);
  }
  return hmacSha256(made, text).toString('hex');
}
