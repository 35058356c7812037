/** The custom resource definitions: the files beside this package's sources are the source of truth. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const API_GROUP = 'bonded.dev';
export const API_VERSION = 'bonded.dev/v1alpha1';

/** The kinds that this version has and enforces. */
export const KINDS = ['Bucket', 'BucketPolicy', 'AccessBinding'] as const;
export type Kind = (typeof KINDS)[number];

/** One CEL rule of a schema node (`x-kubernetes-validations`). */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
}

/** The part of OpenAPI v3 that Kubernetes calls a structural schema, as far as Bonded's definitions use it. */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** A CustomResourceDefinition, as far as it is read here. */
export interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string; readonly categories: readonly string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
    }[];
  };
}

const FILES: Readonly<Record<Kind, string>> = {
  Bucket: 'bonded.dev_buckets.yaml',
  BucketPolicy: 'bonded.dev_bucketpolicies.yaml',
  AccessBinding: 'bonded.dev_accessbindings.yaml',
};

const read = new Map<Kind, Definition>();

/** The definition of a kind. */
export function definitionOf(kind: Kind): Definition {
  const known = read.get(kind);
  if (known) return known;
  const definition = parse(readFileSync(join(import.meta.dirname, '..', FILES[kind]), 'utf8')) as Definition;
  read.set(kind, definition);
  return definition;
}

/** The schema of a kind's one version. */
export function schemaOf(kind: Kind): StructuralSchema {
  const version = definitionOf(kind).spec.versions[0];
  if (!version) throw new Error(`The definition of ${kind} has no version.`);
  return version.schema.openAPIV3Schema;
}
