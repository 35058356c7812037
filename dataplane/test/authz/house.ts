/** Snapshots and principals for tests of decisions, written as people write them. */
import assert from 'node:assert/strict';
import { compile, readResource, readYaml, ROOT_NAME, showPath, SYSTEM_NAMESPACE, withBuiltInOwner } from '@bonded/crds';
import { ANONYMOUS, type Principal } from '../../src/authn/principal.ts';
import type { Action } from '../../src/authz/action.ts';
import { authorise, type Decision } from '../../src/authz/authorise.ts';
import { indexSnapshot, type LoadedSnapshot } from '../../src/config/snapshot.ts';

export const ISSUER = 'https://issuer.example';
const CLUSTER = 'https://cluster.example';

/** The snapshot of manifests in YAML; `apiVersion` is filled in. */
export function house(yaml: string): LoadedSnapshot {
  const resources = readYaml(yaml).documents.map(({ value }) => {
    const kind = (value as { kind: string }).kind;
    const read = readResource({ apiVersion: kind === 'Secret' ? 'v1' : 'bonded.dev/v1alpha1', ...(value as object) });
    if ('problems' in read) assert.fail(read.problems.map(({ path, message }) => `${showPath(path)}: ${message}`).join('; '));
    return { resource: read.resource, origin: { managedBy: 'manifests', owner: 'test' } as const };
  });
  const { snapshot } = compile(resources, { issuers: [{ issuer: ISSUER }, { issuer: CLUSTER, kubernetes: true }], locations: ['default'] });
  return indexSnapshot(withBuiltInOwner(snapshot, { accessKeyId: 'BONDEDROOT', secretAccessKey: 'x'.repeat(40) }));
}

export const anonymous = ANONYMOUS;
export const root: Principal = {
  kind: 'accessKey',
  id: 'key:BONDEDROOT',
  accessKey: { accessKeyId: 'BONDEDROOT', namespace: SYSTEM_NAMESPACE, secretName: ROOT_NAME },
};

/** A bearer of a token. */
export function bearer(claims: Readonly<Record<string, unknown>>, issuer = ISSUER): Principal {
  return { kind: 'oidc', id: `oidc:${issuer}|${String(claims.sub)}`, oidc: { issuer, claims } };
}

/** A holder of the key in a Secret. */
export function holder(secretName: string, namespace = 'team-a'): Principal {
  const accessKeyId = `ID-${namespace}-${secretName}`;
  return { kind: 'accessKey', id: `key:${accessKeyId}`, accessKey: { accessKeyId, namespace, secretName } };
}

/** A service account of the cluster. */
export function account(namespace: string, name: string): Principal {
  const sub = `system:serviceaccount:${namespace}:${name}`;
  return { ...bearer({ sub }, CLUSTER), serviceAccount: { namespace, name } };
}

/** Each action with the S3 action that tests know it by. */
const S3_ACTIONS: Readonly<Record<Action, string>> = {
  read: 's3:GetObject',
  list: 's3:ListBucket',
  create: 's3:PutObject',
  overwrite: 's3:PutObject',
  delete: 's3:DeleteObject',
  attach: 's3:PutObject',
  administer: 's3:PutBucketPolicy',
};

/** Asks for `read builds/key`, `list builds/prefix`, `administer builds`, or with the S3 action: `read s3:GetObjectAcl builds/key`. */
export function decide(
  snapshot: LoadedSnapshot,
  principal: Principal,
  question: string,
  context: Readonly<Record<string, string | readonly string[]>> = {},
): Decision {
  const words = question.split(' ');
  const [action, where = ''] = [words[0] as Action, words.at(-1)];
  const s3Action = words.length === 3 ? (words[1] ?? '') : S3_ACTIONS[action];
  const slash = where.indexOf('/');
  const resource = slash < 0 ? { bucket: where } : { bucket: where.slice(0, slash), name: where.slice(slash + 1) };
  const facts = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), typeof value === 'string' ? [value] : value]));
  return authorise(snapshot, principal, { action, s3Action, resource, context: facts });
}

/** The same as yes or no. */
export function may(...question: Parameters<typeof decide>): boolean {
  return decide(...question).allowed;
}
