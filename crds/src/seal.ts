/** The last step of compiling: one order, one digest. */
import { createHash } from 'node:crypto';
import { ROOT_NAME, SYSTEM_NAMESPACE, type AccessKeyConfig, type BindingConfig, type Snapshot } from './snapshot.ts';

/** Orders the content and gives it its revision: the SHA-256 (hex) of its canonical JSON. */
export function sealSnapshot(content: Omit<Snapshot, 'revision'>): Snapshot {
  const ordered: Omit<Snapshot, 'revision'> = {
    buckets: inOrder(content.buckets, ({ name }) => name),
    bindings: inOrder(content.bindings, ({ namespace, name }) => `${namespace}/${name}`),
    policies: inOrder(content.policies, ({ namespace, name }) => `${namespace}/${name}`),
    accessKeys: inOrder(content.accessKeys, ({ accessKeyId }) => accessKeyId),
    closed: inOrder(content.closed ?? [], ({ bucket, reason }) => `${bucket} ${reason}`),
  };
  return { revision: createHash('sha256').update(canonicalJson(ordered)).digest('hex'), ...ordered };
}

/** The same snapshot with the built-in Owner's key in the place of any that it has. Nothing that a resource says can take it away. */
export function withBuiltInOwner(snapshot: Snapshot, key: Pick<AccessKeyConfig, 'accessKeyId' | 'secretAccessKey'>): Snapshot {
  const others = <Of extends { readonly namespace: string }>(list: readonly Of[], name: (of: Of) => string): readonly Of[] =>
    list.filter((of) => of.namespace !== SYSTEM_NAMESPACE || name(of) !== ROOT_NAME);
  const binding: BindingConfig = {
    namespace: SYSTEM_NAMESPACE,
    name: ROOT_NAME,
    subjects: [{ kind: 'accessKey', namespace: SYSTEM_NAMESPACE, secretName: ROOT_NAME }],
    role: 'Owner',
  };
  const { accessKeyId, secretAccessKey } = key;
  const accessKeys = others(snapshot.accessKeys, ({ secretName }) => secretName).filter((other) => other.accessKeyId !== accessKeyId);
  return sealSnapshot({
    ...snapshot,
    bindings: [...others(snapshot.bindings, ({ name }) => name), binding],
    accessKeys: [...accessKeys, { namespace: SYSTEM_NAMESPACE, secretName: ROOT_NAME, accessKeyId, secretAccessKey }],
  });
}

/** JSON with members in the order of their names, so that equal content has equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function inOrder<Of>(list: readonly Of[], key: (of: Of) => string): readonly Of[] {
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
