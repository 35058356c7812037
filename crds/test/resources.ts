/** Resources for tests. */
import assert from 'node:assert/strict';
import { API_VERSION } from '../src/definitions.ts';
import { showPath } from '../src/structural.ts';
import { readResource } from '../src/schema.ts';
import type { Resource, SourcedResource } from '../src/resource.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A resource as its author writes it. */
export function written(kind: string, name: string, spec: Fields = {}, metadata: Fields = {}): Fields {
  if (kind === 'Secret') return { apiVersion: 'v1', kind, metadata: { name, namespace: 'team-a', ...metadata }, ...spec };
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace: 'team-a', ...metadata }, spec };
}

/** A resource that the schema admits. */
export function admitted(kind: string, name: string, spec?: Fields, metadata?: Fields): SourcedResource {
  return { resource: judged(written(kind, name, spec, metadata)), origin: { managedBy: 'manifests', owner: `${name}.yaml:1` } };
}

export function judged(value: unknown): Resource {
  const read = readResource(value);
  if ('problems' in read) assert.fail(problemsOf(value).join('\n'));
  return read.resource;
}

/** `path: message` of everything that the schema refuses. */
export function problemsOf(value: unknown): readonly string[] {
  const read = readResource(value);
  return 'problems' in read ? read.problems.map(({ path, message }) => `${showPath(path)}: ${message}`) : [];
}
