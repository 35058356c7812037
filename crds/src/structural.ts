/** Judges plain data by a structural schema as the Kubernetes API server would, but refuses unknown fields instead of dropping them. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { StructuralSchema } from './definitions.ts';
import type { Problem } from './problem.ts';
import { brokenRules } from './rules.ts';
import type { Path } from './yaml.ts';

/** What became of a value: itself with defaults filled in, if there are no problems. */
export interface Judged {
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

/** Judges a value; `old` is what it replaces, for the rules about changes. The value given is not touched. */
export type Judge = (value: unknown, old?: unknown) => Judged;

const MAX_PROBLEMS = 10;

const ajv = new Ajv({
  allErrors: true,
  useDefaults: true,
  formats: { int32: true, int64: true, 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i },
});

/** Prepares the judge of a schema: types and bounds first, then list types and CEL rules. */
export function judgeOf(schema: StructuralSchema): Judge {
  let validate: ValidateFunction | undefined;
  return (given, old) => {
    validate ??= ajv.compile(toJsonSchema(schema));
    const value: unknown = structuredClone(given);
    if (!validate(value)) return { value, problems: (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(problemOf) };
    return { value, problems: brokenRules(schema, value, old).slice(0, MAX_PROBLEMS) };
  };
}

/** The same as plain JSON Schema: what Kubernetes would prune is forbidden, what only Kubernetes knows is left out. */
export function toJsonSchema(schema: StructuralSchema): Record<string, unknown> {
  const plain = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keyword.startsWith('x-kubernetes-')));
  if (schema.items) plain.items = toJsonSchema(schema.items);
  if (schema.type !== 'object') return plain;
  if (schema.properties) {
    plain.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, toJsonSchema(property)]));
  }
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  plain.additionalProperties = schema.additionalProperties ? toJsonSchema(schema.additionalProperties) : open;
  return plain;
}

/** `spec.subjects[0].oidc`: a path as people read it. */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (shown, step) => (typeof step === 'number' ? `${shown}[${step}]` : shown === '' ? step : `${shown}.${step}`),
    '',
  );
}

function problemOf(error: ErrorObject): Problem {
  const path = pathOf(error.instancePath);
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties':
      return { path: [...path, String(params.additionalProperty)], message: 'unknown field' };
    case 'required':
      return { path: [...path, String(params.missingProperty)], message: 'required' };
    case 'enum':
      return { path, message: `must be one of ${(params.allowedValues as readonly unknown[]).join(', ')}` };
    default:
      return { path, message: error.message ?? 'invalid' };
  }
}

/** Reads a JSON pointer (RFC 6901); numbers are list positions. */
function pathOf(pointer: string): Path {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}
