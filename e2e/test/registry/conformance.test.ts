/** The official conformance suite of the distribution specification, unmodified and with its own defaults, every category on. */
import assert from 'node:assert/strict';
import { runConformance, type SpecVersion, type Verdict } from '../../src/registry/conformance.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';

/** What the suite itself leaves out unless it is asked for, by version. */
const LEFT_OUT: Readonly<Record<SpecVersion, readonly string[]>> = {
  stable: ['Blob upload cancel', 'Manifest put with tag params', 'Sparse Manifests', 'Tag Param', 'Tag Param sha512'],
  dev: ['Sparse Manifests'],
};
/** A run that saw fewer checks did not reach all endpoints. */
const FEWEST_CHECKS = 600;
const SHOWN = 20;

for (const version of ['stable', 'dev'] as const) {
  describe(`the conformance suite of the distribution specification (${version})`, () => {
    let registry: Registry;
    let verdict: Verdict;

    before(async () => {
      program('conformance');
      registry = await startRegistry();
      verdict = await runConformance(registry, version);
    });
    after(() => registry.stop());

    const those = (...outcomes: readonly string[]) =>
      [...verdict.outcomes].flatMap(([name, outcome]) => (outcomes.includes(outcome) ? [name] : []));

    it('finds nothing wrong', () => {
      const shown = verdict.failures.slice(0, SHOWN).join('\n');
      assert.equal(verdict.failures.length, 0, `${verdict.failures.length} checks failed, reports in ${verdict.folder}\n${shown}`);
      assert.deepEqual(those('FAIL', 'Error'), []);
      assert.equal(verdict.exitCode, 0);
    });

    it('skips nothing, and leaves out only what is not in that version', () => {
      assert.deepEqual(those('Skip'), []);
      assert.deepEqual(those('Disabled').toSorted(), LEFT_OUT[version]);
    });

    it('tries every endpoint and every kind of content', () => {
      assert.ok(verdict.passed >= FEWEST_CHECKS, `only ${verdict.passed} checks passed`);
      const passed = those('Pass');
      for (const name of [
        'Blob chunked',
        'Blob mount',
        'Manifest put by tag',
        'Referrers',
        'Tag listing',
        'Blobs sha512',
        'Missing Subject',
      ])
        assert.ok(passed.includes(name), `${name} is not among what passed: ${passed.join(', ')}`);
    });
  });
}
