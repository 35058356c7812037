/** From plain data to a resource: the definition's schema and CEL rules, then what only code can say. The same judge everywhere. */
import { API_GROUP, API_VERSION, KINDS, schemaOf, type Kind, type StructuralSchema } from './definitions.ts';
import { METADATA, SECRET } from './builtinSchemas.ts';
import { readPolicyDocument } from './policyDocument.ts';
import { PolicyRefused } from './policyReading.ts';
import type { Problem } from './problem.ts';
import type { BucketPolicyResource, Metadata, Resource, SecretResource } from './resource.ts';
import { brokenRules } from './rules.ts';
import { judgeOf, type Judge } from './structural.ts';
import type { Path } from './yaml.ts';

/** What became of data that claims to be a resource. */
export type ReadResource = { readonly resource: Resource } | { readonly problems: readonly Problem[] };

// Made when first needed: reading the definitions takes longer than most of a start, and few processes judge anything.
const judges = new Map<Kind, { readonly schema: StructuralSchema; readonly judge: Judge }>();
const judgeSecret = judgeOf(SECRET);
let judgeBucketName: Judge | undefined;

/** Judges one resource: a kind of Bonded, or a Secret. Defaults are filled in; `metadata.namespace` is `default` unless given. */
export function readResource(value: unknown): ReadResource {
  const head = value as { readonly apiVersion?: unknown; readonly kind?: unknown } | null;
  if (typeof head !== 'object' || head === null || Array.isArray(head)) return refuse([], 'is not a resource: it must be a mapping');
  if (typeof head.apiVersion !== 'string') return refuse(['apiVersion'], 'required');
  if (typeof head.kind !== 'string') return refuse(['kind'], 'required');
  if (head.kind === 'Secret' && head.apiVersion === 'v1') return readSecret(value);
  const kind = KINDS.find((known) => known === head.kind);
  if (kind === undefined) return refuse(['kind'], unknownKind(head.kind, head.apiVersion));
  if (head.apiVersion !== API_VERSION) return refuse(['apiVersion'], `must be ${API_VERSION} for a ${kind}`);
  return readKind(kind, value);
}

/** What forbids that `next` replaces `old`, which has the same identity: rules of the schema about changes. */
export function problemsOfChange(old: Resource, next: Resource): readonly Problem[] {
  if (old.kind === 'Secret' || next.kind === 'Secret') return [];
  return brokenRules(judgeOfKind(next.kind).schema, next, old);
}

/** Why a bucket cannot be called so on the wire, as the schema of Bucket says; undefined when it can. */
export function bucketNameProblem(name: string): string | undefined {
  judgeBucketName ??= judgeOf(schemaOf('Bucket').properties?.spec?.properties?.name ?? {});
  return judgeBucketName(name).problems[0]?.message;
}

function readKind(kind: Kind, value: unknown): ReadResource {
  const judged = judgeOfKind(kind).judge(value);
  if (judged.problems.length > 0) return { problems: judged.problems };
  const { metadata, spec } = judged.value as { readonly metadata: Metadata; readonly spec: unknown };
  const resource = { kind, metadata, spec } as Resource;
  const problems = resource.kind === 'BucketPolicy' ? documentProblems(resource) : [];
  return problems.length > 0 ? { problems } : { resource };
}

function documentProblems({ spec }: BucketPolicyResource): readonly Problem[] {
  try {
    readPolicyDocument(spec.document, spec.bucket);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyRefused)) throw error;
    return [{ path: ['spec', 'document', ...stepsOf(error.path)], message: error.message }];
  }
}

function readSecret(value: unknown): ReadResource {
  const judged = judgeSecret(value);
  if (judged.problems.length > 0) return { problems: judged.problems };
  const {
    metadata,
    data = {},
    stringData = {},
  } = judged.value as {
    readonly metadata: Metadata;
    readonly data?: Readonly<Record<string, string>>;
    readonly stringData?: Readonly<Record<string, string>>;
  };
  const decoded = Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString()] as const);
  // As the Kubernetes API does: stringData wins.
  const resource: SecretResource = { kind: 'Secret', metadata, data: { ...Object.fromEntries(decoded), ...stringData } };
  return { resource };
}

function judgeOfKind(kind: Kind): { readonly schema: StructuralSchema; readonly judge: Judge } {
  const known = judges.get(kind);
  if (known) return known;
  const schema = withEnvelope(kind);
  const made = { schema, judge: judgeOf(schema) };
  judges.set(kind, made);
  return made;
}

function withEnvelope(kind: Kind): StructuralSchema {
  const schema = schemaOf(kind);
  const properties = { ...schema.properties, apiVersion: { type: 'string', enum: [API_VERSION] }, metadata: METADATA } as const;
  return { ...schema, required: ['apiVersion', 'kind', 'metadata', ...(schema.required ?? [])], properties };
}

function unknownKind(kind: string, apiVersion: string): string {
  if (kind === 'SigningPolicy' && apiVersion.startsWith(`${API_GROUP}/`)) {
    return 'SigningPolicy is not enforced by this version of Bonded, and is refused so that nobody relies on it; remove it';
  }
  return `is not a kind that is read here; known are ${KINDS.join(', ')} and Secret (v1)`;
}

function refuse(path: Path, message: string): ReadResource {
  return { problems: [{ path, message }] };
}

/** `Statement[0].Action` → its steps. */
function stepsOf(path: string): Path {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));
}
