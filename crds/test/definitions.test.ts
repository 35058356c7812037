import assert from 'node:assert/strict';
import { Environment } from '@marcbachmann/cel-js';
import { definitionOf, KINDS, schemaOf, type StructuralSchema } from '../src/definitions.ts';
import { judgeOf, showPath } from '../src/structural.ts';
import type { Path } from '../src/yaml.ts';

interface Node {
  readonly schema: StructuralSchema;
  readonly path: Path;
}

/** Every node of a schema. */
function nodesOf(schema: StructuralSchema, path: Path = []): readonly Node[] {
  const { properties = {}, additionalProperties, items } = schema;
  return [
    { schema, path },
    ...Object.entries(properties).flatMap(([name, property]) => nodesOf(property, [...path, name])),
    ...(additionalProperties ? nodesOf(additionalProperties, [...path, '*']) : []),
    ...(items ? nodesOf(items, [...path, 0]) : []),
  ];
}

for (const kind of KINDS) {
  describe(`the definition of ${kind}`, () => {
    const { metadata, spec } = definitionOf(kind);
    const nodes = nodesOf(schemaOf(kind));
    const each = (check: (node: Node) => void): void => nodes.forEach((node) => check(node));

    it('is a namespaced kind of bonded.dev, found as "bonded", with status', () => {
      assert.equal(metadata.name, `${spec.names.plural}.${spec.group}`);
      assert.deepEqual([spec.group, spec.scope, spec.names.kind], ['bonded.dev', 'Namespaced', kind]);
      assert.deepEqual(spec.names.categories, ['bonded']);
      const [version] = spec.versions;
      assert.deepEqual([spec.versions.length, version?.name, version?.served, version?.storage], [1, 'v1alpha1', true, true]);
      assert.deepEqual((version as unknown as { subresources: unknown }).subresources, { status: {} });
      const columns = (version as unknown as { additionalPrinterColumns: { name: string }[] }).additionalPrinterColumns;
      assert.ok(columns.some(({ name }) => name === 'Ready'));
    });

    it('is structural: every node has a type, and says what fields or items it has in one way', () => {
      each(({ schema, path }) => {
        assert.ok(schema.type, `${showPath(path)} has no type`);
        assert.ok(!(schema.properties && schema.additionalProperties), `${showPath(path)} has both properties and additionalProperties`);
        assert.equal(schema.type === 'array', schema.items !== undefined, showPath(path));
      });
    });

    it('says how each list of the spec merges, and names keys that its items have', () => {
      each(({ schema, path }) => {
        if (schema.type !== 'array') return;
        assert.ok(schema['x-kubernetes-list-type'], `${showPath(path)} has no list type`);
        for (const key of schema['x-kubernetes-list-map-keys'] ?? []) assert.ok(schema.items?.required?.includes(key), showPath(path));
      });
    });

    it('bounds every list, map and string that a rule could be asked of, so that the API server can bound its cost', () => {
      each(({ schema, path }) => {
        if (path[0] !== 'spec') return;
        if (schema.type === 'array') assert.ok(schema.maxItems, showPath(path));
        if (schema.type === 'string') assert.ok(schema.maxLength ?? schema.enum, showPath(path));
        if (schema.additionalProperties) assert.ok(schema.maxProperties, showPath(path));
      });
    });

    it('has rules that are CEL, each with a message, and rules about changes only where old and new can be told apart', () => {
      const environment = new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
      each(({ schema, path }) => {
        for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
          assert.ok(environment.check(rule).valid, rule);
          assert.ok(message.length > 10);
          if (rule.includes('oldSelf')) assert.ok(!path.some((step) => typeof step === 'number'), showPath(path));
        }
      });
    });

    it('has patterns that Go knows too: no look-around, no back-references', () => {
      each(({ schema }) => assert.doesNotMatch(schema.pattern ?? '', /\(\?[=!<]|\\\d/));
    });

    it('has defaults that it allows itself', () => {
      each(({ schema, path }) => {
        if (schema.default === undefined) return;
        assert.deepEqual(judgeOf({ ...schema, default: undefined })(schema.default).problems, [], showPath(path));
      });
    });
  });
}
