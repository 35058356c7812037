/**
 * Generates `src/generated/*.ts` from the custom resource definitions. With `--check` it writes nothing and fails when a
 * file is not what it would write.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { KINDS, schemaOf, type Kind, type StructuralSchema } from './src/definitions.ts';
import { toJsonSchema } from './src/structural.ts';

const DIRECTORY = join(import.meta.dirname, 'src', 'generated');

/** The source text of a kind's types: `<Kind>Spec` and `<Kind>Status`. */
export async function generate(kind: Kind): Promise<string> {
  const parts = schemaOf(kind).properties ?? {};
  const spec = await typesOf(`${kind}Spec`, parts.spec);
  const status = await typesOf(`${kind}Status`, parts.status);
  const source = `/** Generated from the definition of ${kind} by crds/generate.ts; do not edit. */\n${spec}\n${status}`;
  const file = fileOf(kind);
  return format(source, { ...(await resolveConfig(file)), filepath: file });
}

async function typesOf(name: string, schema: StructuralSchema | undefined): Promise<string> {
  if (!schema) throw new Error(`The schema has no ${name}.`);
  const options = { bannerComment: '', additionalProperties: false, format: false, maxItems: -1, ignoreMinAndMaxItems: true };
  return compile(withDefaultsPresent(toJsonSchema(schema)), name, options);
}

interface PlainSchema extends Record<string, unknown> {
  readonly properties?: Readonly<Record<string, PlainSchema>>;
  readonly required?: readonly string[];
  readonly items?: PlainSchema;
}

/** A field with a default is always there once the schema has judged a resource. */
function withDefaultsPresent(schema: PlainSchema): Record<string, unknown> {
  const { properties, required = [], items } = schema;
  const fields = Object.entries(properties ?? {});
  const present = fields.filter(([, field]) => 'default' in field).map(([name]) => name);
  const inner = Object.fromEntries(fields.map(([name, field]) => [name, withDefaultsPresent(field)]));
  return {
    ...schema,
    ...(properties && { properties: inner, required: [...required, ...present] }),
    ...(items && { items: withDefaultsPresent(items) }),
  };
}

function fileOf(kind: Kind): string {
  return join(DIRECTORY, `${kind.charAt(0).toLowerCase()}${kind.slice(1)}.ts`);
}

async function main(check: boolean): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  const stale: string[] = [];
  for (const kind of KINDS) {
    const [file, wanted] = [fileOf(kind), await generate(kind)];
    const present = await readFile(file, 'utf8').catch(() => undefined);
    if (present === wanted) continue;
    stale.push(file);
    if (!check) await writeFile(file, wanted);
  }
  if (!check || stale.length === 0) return;
  console.error(`Stale: ${stale.join(', ')}\nRun: node crds/generate.ts`);
  process.exitCode = 1;
}

if (import.meta.main) await main(process.argv.includes('--check'));
