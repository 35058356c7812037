/** Sealed text: encrypted and authenticated (AES-256-GCM), for one use, by one of several keys. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SigningKey, SigningKeys } from './signingKey.ts';

const CIPHER = 'aes-256-gcm';
const IV = 12;
const TAG = 16;
/** Bytes that a seal may hold once unpacked; only our own seals are ever unpacked, and a longer one cannot be. */
export const MAX_SEALED_TEXT = 64 * 1024;
const SEALED = /^(\w{1,16})\.([0-9a-f]{8})\.([\w-]{40,})$/;

/** `<prefix>.<key id>.<base64url>`. The prefix names format and use: a seal of one use cannot be opened as another. */
export function seal(text: string, prefix: string, key: SigningKey): string {
  const iv = randomBytes(IV);
  const head = `${prefix}.${key.id}`;
  const cipher = createCipheriv(CIPHER, key.sealing, iv).setAAD(Buffer.from(head));
  const body = [iv, cipher.update(deflateRawSync(text)), cipher.final(), cipher.getAuthTag()];
  return `${head}.${Buffer.concat(body).toString('base64url')}`;
}

/** What was sealed and by which key; undefined for anything that no key of ours sealed for this use. */
export function unseal(sealed: string, prefix: string, keys: SigningKeys): { readonly text: string; readonly key: SigningKey } | undefined {
  const [, given, id, body = ''] = SEALED.exec(sealed) ?? [];
  const key = keys.find((candidate) => candidate.id === id);
  if (given !== prefix || key === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  const decipher = createDecipheriv(CIPHER, key.sealing, bytes.subarray(0, IV), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(`${prefix}.${key.id}`)).setAuthTag(bytes.subarray(-TAG));
  try {
    const packed = Buffer.concat([decipher.update(bytes.subarray(IV, -TAG)), decipher.final()]);
    return { text: inflateRawSync(packed, { maxOutputLength: MAX_SEALED_TEXT }).toString('utf8'), key };
  } catch {
    return undefined;
  }
}
