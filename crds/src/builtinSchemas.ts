/** Schemas of what Kubernetes itself defines, as far as manifests carry it: metadata and Secrets. */
import type { StructuralSchema } from './definitions.ts';

const TEXTS: StructuralSchema = { type: 'object', maxProperties: 256, additionalProperties: { type: 'string', maxLength: 65_536 } };
const ANYTHING: StructuralSchema = { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };

/** What people write, and what `kubectl get -o yaml` adds. Names as in Kubernetes (RFC 1123). */
export const METADATA: StructuralSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' },
    namespace: { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', default: 'default' },
    labels: TEXTS,
    annotations: TEXTS,
    creationTimestamp: { type: 'string', format: 'date-time', nullable: true },
    deletionTimestamp: { type: 'string', format: 'date-time', nullable: true },
    deletionGracePeriodSeconds: { type: 'integer' },
    generation: { type: 'integer' },
    uid: { type: 'string' },
    resourceVersion: { type: 'string' },
    selfLink: { type: 'string' },
    finalizers: { type: 'array', items: { type: 'string' } },
    ownerReferences: ANYTHING,
    managedFields: ANYTHING,
  },
};

/** A Secret (v1). */
export const SECRET: StructuralSchema = {
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: METADATA,
    type: { type: 'string' },
    immutable: { type: 'boolean' },
    data: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' },
    },
    stringData: { type: 'object', additionalProperties: { type: 'string' } },
  },
};
