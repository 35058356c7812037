/** The import rules hold here, and each of them catches what it is for: violations are planted in a small house of the same shape. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { importFaults } from '../checkImports.ts';
import { MAY_IMPORT, roomOf } from '../rooms.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

/** A house in which every rule holds. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': '{"name":"planted","type":"module","devDependencies":{"fast-check":"1.0.0"}}',
  'crds/package.json': '{"name":"@bonded/crds","type":"module","exports":{".":"./src/index.ts"}}',
  'crds/src/index.ts': 'export interface Snapshot { readonly revision: string }\n',
  'dataplane/package.json': '{"name":"@bonded/dataplane","type":"module","dependencies":{"@bonded/crds":"1.0.0","pino":"1.0.0"}}',
  'dataplane/src/main.ts': "import { listen } from './http/server.ts';\nimport { s3 } from './protocols/s3/table.ts';\nlisten(s3);\n",
  'dataplane/src/errors.ts': 'export const code = 1;\n',
  'dataplane/src/http/server.ts':
    "import type { Protocol } from '../protocols/contract.ts';\nexport const listen = (protocol: unknown) => protocol as Protocol;\n",
  'dataplane/src/protocols/contract.ts': "import type { Snapshot } from '@bonded/crds';\nexport type Protocol = Snapshot;\n",
  'dataplane/src/protocols/s3/table.ts': "import { open } from '../../core/objects.ts';\nexport const s3 = open;\n",
  'dataplane/src/protocols/admin/table.ts': 'export const admin = 1;\n',
  'dataplane/src/evidence/admit.ts': "import { stampAdmitted } from '../core/door.ts';\nexport const admit = stampAdmitted;\n",
  'dataplane/src/core/door.ts': 'export interface Admitted { readonly x: 1 }\nexport const stampAdmitted = () => ({ x: 1 }) as Admitted;\n',
  'dataplane/src/core/objects.ts':
    "import type { Admitted } from './door.ts';\nimport { code } from '../errors.ts';\nexport const open = (a: Admitted) => [a, code];\n",
  'dataplane/src/core/names.ts': "import { open } from './objects.ts';\nexport const name = open;\n",
  'dataplane/src/storage/contract.ts': 'export type Bytes = Uint8Array;\n',
  'dataplane/src/storage/local/blobs.ts': "import type { Bytes } from '../contract.ts';\nexport const blobs: Bytes[] = [];\n",
  'dataplane/src/storage/memory/blobs.ts': 'export const memory = 1;\n',
  'dataplane/test/core/door.test.ts': "import { stampAdmitted } from '../../src/core/door.ts';\nstampAdmitted();\n",
  'e2e/src/server.ts': 'export const server = 1;\n',
};

/** What is planted, by the rule that must catch it. */
const PLANTED: readonly (readonly [rule: RegExp, path: string, text: string])[] = [
  [
    /^room dataplane\/src\/core: .*core\/objects\.ts imports .*http\/server\.ts/,
    'dataplane/src/core/objects.ts',
    "import { listen } from '../http/server.ts';\nexport const open = listen;\n",
  ],
  [
    /^room dataplane\/src\/core: .*imports .*storage\/local\/blobs\.ts/,
    'dataplane/src/core/objects.ts',
    "export { blobs as open } from '../storage/local/blobs.ts';\n",
  ],
  [
    /^room dataplane\/src\/errors\.ts: /,
    'dataplane/src/errors.ts',
    "import type { Admitted } from './core/door.ts';\nexport const code: Admitted | number = 1;\n",
  ],
  [
    /^room dataplane\/src\/protocols\/s3: .*imports .*admin\/table\.ts/,
    'dataplane/src/protocols/s3/table.ts',
    "import { admin } from '../admin/table.ts';\nexport const s3 = admin;\n",
  ],
  [
    /^room dataplane\/src\/storage\/local: .*imports .*memory\/blobs\.ts/,
    'dataplane/src/storage/local/blobs.ts',
    "import { memory } from '../memory/blobs.ts';\nexport const blobs = memory;\n",
  ],
  [/^room crds\/src: /, 'crds/src/index.ts', "import { code } from '../../dataplane/src/errors.ts';\nexport const x = code;\n"],
  [
    /^room dataplane\/src\/core: .*imports dataplane\/test/,
    'dataplane/src/core/objects.ts',
    "import '../../test/core/door.test.ts';\nexport const open = 1;\n",
  ],
  [
    /^door has one keeper: .*core\/objects\.ts/,
    'dataplane/src/core/objects.ts',
    "import type { Admitted } from './door.ts';\nimport { stampAdmitted } from './door.ts';\nexport const open: () => Admitted = stampAdmitted;\n",
  ],
  [
    /^door has one keeper: .*protocols\/s3/,
    'dataplane/src/protocols/s3/table.ts',
    "import { type Admitted, stampAdmitted } from '../../core/door.ts';\nexport const s3: () => Admitted = stampAdmitted;\n",
  ],
  [
    /^door has one keeper: .*protocols\/s3/,
    'dataplane/src/protocols/s3/table.ts',
    "export const s3 = () => import('../../core/door.ts');\n",
  ],
  [/^door has one keeper: .*core\/objects\.ts/, 'dataplane/src/core/objects.ts', "export { stampAdmitted as open } from './door.ts';\n"],
  [/^no cycles: /, 'dataplane/src/core/objects.ts', "import { name } from './names.ts';\nexport const open = () => name;\n"],
  [/^declared packages only: /, 'dataplane/src/errors.ts', "import fc from 'fast-check';\nexport const code = fc;\n"],
  [/^everything resolves: /, 'dataplane/src/errors.ts', "import { x } from './nowhere.ts';\nexport const code = x;\n"],
  [/^clients use the wire: /, 'e2e/src/server.ts', "export { code } from '../../dataplane/src/errors.ts';\n"],
  [/^in no room .*dataplane\/src\/attic\/box\.ts$/, 'dataplane/src/attic/box.ts', 'export const box = 1;\n'],
];

describe('import rules', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'bonded-rooms-'));
    await lay(SOUND);
    await mkdir(join(root, 'node_modules/@bonded'), { recursive: true });
    await symlink(join(root, 'crds'), join(root, 'node_modules/@bonded/crds'));
    await symlink(join(CHECKOUT, 'node_modules/fast-check'), join(root, 'node_modules/fast-check'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function lay(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  }

  it('hold in this checkout', async () => {
    assert.deepEqual(await importFaults(CHECKOUT), []);
  });

  it('find nothing in a sound house', async () => {
    assert.deepEqual(await importFaults(root), []);
  });

  for (const [rule, path, text] of PLANTED) {
    it(`catch ${text.split('\n').find((line) => /import|export/.test(line))} in ${path}`, async () => {
      await lay({ [path]: text });
      const faults = await importFaults(root);
      assert.ok(
        faults.some((fault) => rule.test(fault)),
        `${rule} found nothing in:\n${faults.join('\n')}`,
      );
    });
  }

  it('let a type refer back to where it is used', async () => {
    await lay({
      'dataplane/src/core/door.ts': `import type { open } from './objects.ts';\n${SOUND['dataplane/src/core/door.ts']}export type Open = typeof open;\n`,
    });
    assert.deepEqual(await importFaults(root), []);
  });

  it('fail when the check sees nothing', async () => {
    await rm(root, { recursive: true });
    await mkdir(root);
    assert.deepEqual(await importFaults(root), ['the check found no source file at all']);
  });
});

describe('rooms', () => {
  it('know every folder of the data plane', async () => {
    const entries = await readdir(join(CHECKOUT, 'dataplane/src'), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `dataplane/src/${name}`);
    assert.ok(folders.length > 5);
    const known = Object.keys(MAY_IMPORT);
    for (const folder of folders)
      assert.ok(
        known.some((room) => room === folder || room.startsWith(`${folder}/`)),
        `${folder} is in no room`,
      );
    for (const family of ['protocols', 'storage']) {
      const members = await readdir(join(CHECKOUT, 'dataplane/src', family), { withFileTypes: true });
      for (const { name } of members.filter((entry) => entry.isDirectory()))
        assert.ok(known.includes(`dataplane/src/${family}/${name}`), `${family}/${name} has no rule of its own`);
    }
  });

  it('name only rooms that exist in the map', () => {
    const known = new Set([...Object.keys(MAY_IMPORT), '*']);
    for (const allowed of Object.values(MAY_IMPORT)) for (const room of allowed) assert.ok(known.has(room), room);
  });

  it('give a module to the narrowest room that has it', () => {
    assert.equal(roomOf('dataplane/src/storage/local/blobs.ts'), 'dataplane/src/storage/local');
    assert.equal(roomOf('dataplane/src/storage/contract.ts'), 'dataplane/src/storage/contract.ts');
    assert.equal(roomOf('dataplane/src/attic/box.ts'), undefined);
  });
});
