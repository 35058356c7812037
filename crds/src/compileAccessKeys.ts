/** Secrets that hold access keys: only those that some binding names are looked at. */
import type { CompileOptions } from './compileOptions.ts';
import type { Reason } from './condition.ts';
import type { AccessBindingResource, SecretResource } from './resource.ts';
import { oldestFirst } from './seniority.ts';
import type { AccessKeyConfig } from './snapshot.ts';

/** The key pair in a Secret, or why there is none. */
export type KeyOutcome = { readonly key: AccessKeyConfig } | { readonly reason: Reason; readonly message: string };

/** `<namespace>/<name>` of a Secret → what it holds. */
export type AccessKeys = ReadonlyMap<string, KeyOutcome>;

/** Ids stand in SigV4 credential scopes, between slashes and commas; 3 characters as other stores allow them. */
const ACCESS_KEY_ID = /^[A-Za-z0-9_.-]{3,128}$/;
/** At least 16 characters, so that a guess is hopeless; printable ASCII without spaces. */
const SECRET_ACCESS_KEY = /^[\x21-\x7e]{16,128}$/;

/** Reads the key pairs of the Secrets that the bindings name. Of two Secrets with one accessKeyId, the older keeps it. */
export function compileAccessKeys(
  secrets: readonly SecretResource[],
  bindings: readonly AccessBindingResource[],
  options: CompileOptions,
): AccessKeys {
  const named = new Set(bindings.flatMap(secretsOf));
  const holders = new Map(options.previous?.accessKeys.map((key) => [key.accessKeyId, `${key.namespace}/${key.secretName}`]));
  const holds = (secret: SecretResource): boolean => holders.get(secret.data.accessKeyId ?? '') === pathOf(secret);
  const taken = new Set(options.reservedAccessKeys);
  const used = secrets.filter((secret) => named.has(pathOf(secret)));
  return new Map(oldestFirst(used, holds).map((secret) => [pathOf(secret), readKey(secret, taken)]));
}

/** `<namespace>/<name>` of every Secret that a binding names. */
export function secretsOf({ metadata, spec }: AccessBindingResource): readonly string[] {
  return spec.subjects.flatMap(({ accessKey }) => (accessKey ? [`${metadata.namespace}/${accessKey.secretName}`] : []));
}

function readKey({ metadata, data }: SecretResource, taken: Set<string>): KeyOutcome {
  const { accessKeyId = '', secretAccessKey = '' } = data;
  if (!ACCESS_KEY_ID.test(accessKeyId)) {
    return {
      reason: 'SecretInvalid',
      message: `accessKeyId in Secret ${metadata.name} must be 3 to 128 letters, digits, dots, underscores and hyphens`,
    };
  }
  if (!SECRET_ACCESS_KEY.test(secretAccessKey)) {
    return {
      reason: 'SecretInvalid',
      message: `secretAccessKey in Secret ${metadata.name} must be 16 to 128 printable ASCII characters without spaces`,
    };
  }
  if (taken.has(accessKeyId))
    return { reason: 'AccessKeyTaken', message: `another Secret has the accessKeyId of Secret ${metadata.name}; choose another` };
  taken.add(accessKeyId);
  return { key: { namespace: metadata.namespace, secretName: metadata.name, accessKeyId, secretAccessKey } };
}

function pathOf({ metadata }: SecretResource): string {
  return `${metadata.namespace}/${metadata.name}`;
}
