import assert from 'node:assert/strict';
import { isPermissive, reasonFaults } from '../checkLicences.ts';

describe('licences', () => {
  it('are permissive when a choice leaves only permissive ones', () => {
    for (const expression of ['MIT', '(MIT OR GPL-3.0)', 'Apache-2.0 AND MIT', '(BSD-2-Clause OR (MIT AND Apache-2.0))'])
      assert.ok(isPermissive(expression), expression);
  });

  it('are refused when unknown, copyleft, or tied to one that is', () => {
    for (const expression of ['GPL-3.0', 'AGPL-3.0-only', 'MIT AND GPL-2.0', 'SEE LICENSE IN LICENSE', 'UNLICENSED', ''])
      assert.ok(!isPermissive(expression), expression);
  });
});

describe('reasons for dependencies', () => {
  const table = '| Package | Why | Health |\n|---|---|---|\n| `a` | Because. | Good. |\n| `b` |  | Good. |\n';

  it('are asked for each, and for nothing else', () => {
    assert.deepEqual(reasonFaults(['a'], '| `a` | Because. | Good. |'), []);
    assert.deepEqual(reasonFaults(['a', 'b', 'c'], table), [
      'docs/dependencies.md gives no reason for b',
      'docs/dependencies.md gives no reason for c',
    ]);
    assert.deepEqual(reasonFaults([], '| `a` | Because. | Good. |'), ['docs/dependencies.md speaks of a, which no package.json asks for']);
  });
});
