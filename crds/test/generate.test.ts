import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from '../generate.ts';
import { KINDS } from '../src/definitions.ts';

describe('generated types', () => {
  for (const kind of KINDS) {
    it(`of ${kind} are those of its definition`, async () => {
      const file = join(import.meta.dirname, '..', 'src', 'generated', `${kind.charAt(0).toLowerCase()}${kind.slice(1)}.ts`);
      assert.equal(await readFile(file, 'utf8'), await generate(kind));
    });
  }
});
