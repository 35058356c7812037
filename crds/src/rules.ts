/** The rules of a structural schema that JSON Schema has no words for: list types and CEL, also about changes. */
import { Environment } from '@marcbachmann/cel-js';
import type { StructuralSchema, ValidationRule } from './definitions.ts';
import type { Problem } from './problem.ts';
import type { Path } from './yaml.ts';

type CelRule = (context: { readonly self: unknown; readonly oldSelf?: unknown }) => unknown;

const environment = new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
const compiled = new Map<string, CelRule>();

interface Place {
  readonly schema: StructuralSchema;
  readonly value: unknown;
  /** What stood here before; undefined when nothing did. */
  readonly old: unknown;
  readonly path: Path;
}

/** Every rule that `value`, which already fits the schema's types, breaks. Rules with `oldSelf` are asked only where `old` has a value. */
export function brokenRules(schema: StructuralSchema, value: unknown, old?: unknown): readonly Problem[] {
  return walk({ schema, value, old, path: [] });
}

function walk(place: Place): readonly Problem[] {
  if (place.value === undefined || place.value === null) return [];
  const here = [...duplicates(place), ...(place.schema['x-kubernetes-validations'] ?? []).flatMap((rule) => ask(rule, place))];
  return [...here, ...children(place).flatMap(walk)];
}

function children({ schema, value, old, path }: Place): readonly Place[] {
  if (Array.isArray(value)) {
    const items = schema.items;
    return items ? value.map((item: unknown, index) => ({ schema: items, value: item, old: undefined, path: [...path, index] })) : [];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : schema.additionalProperties;
    return property ? [{ schema: property, value: child, old: isObject(old) ? old[name] : undefined, path: [...path, name] }] : [];
  });
}

/** `set`: no item twice. `map`: no two items with the same keys. */
function duplicates({ schema, value, path }: Place): readonly Problem[] {
  const type = schema['x-kubernetes-list-type'];
  if (!Array.isArray(value) || (type !== 'set' && type !== 'map')) return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  return value.flatMap((item: unknown, index) => {
    const identity = JSON.stringify(type === 'map' && isObject(item) ? keys.map((key) => item[key]) : item);
    if (seen.has(identity)) return [{ path: [...path, index], message: 'given twice' }];
    seen.add(identity);
    return [];
  });
}

function ask({ rule, message }: ValidationRule, { schema, value, old, path }: Place): readonly Problem[] {
  const aboutChange = /\boldSelf\b/.test(rule);
  if (aboutChange && old === undefined) return [];
  const self = celValue(schema, value);
  return holds(rule, aboutChange ? { self, oldSelf: celValue(schema, old) } : { self }) ? [] : [{ path, message }];
}

/** A rule that cannot be answered is broken: fail closed. */
function holds(rule: string, context: Parameters<CelRule>[0]): boolean {
  try {
    return celRule(rule)(context) === true;
  } catch {
    return false;
  }
}

function celRule(rule: string): CelRule {
  const known = compiled.get(rule);
  if (known) return known;
  const parsed = environment.parse(rule) as CelRule;
  compiled.set(rule, parsed);
  return parsed;
}

/** CEL tells integers from doubles; plain JavaScript numbers are doubles to it. */
function celValue(schema: StructuralSchema | undefined, value: unknown): unknown {
  if (schema?.type === 'integer' && typeof value === 'number') return BigInt(value);
  if (Array.isArray(value)) return value.map((item: unknown) => celValue(schema?.items, item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, celValue(schema?.properties?.[name] ?? schema?.additionalProperties, child)]),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
