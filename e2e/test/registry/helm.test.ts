/** Helm 4 and Helm 3: charts as artefacts of a registry. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { makeWorkspace, sameBytes, type Workspace } from '../../src/files.ts';
import { CHART, makeChart, makeKeyRings } from '../../src/registry/chart.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { askRegistry, blobOf, manifestOf, manifestStatus, parsed, tagsOf } from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
const CHART_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const PROVENANCE_TYPE = 'application/vnd.cncf.helm.chart.provenance.v1.prov';

for (const helmOf of ['helm4', 'helm3'] as const) {
  describe(helmOf, () => {
    let registry: Registry;
    let work: Workspace;

    before(async () => {
      program(helmOf);
      registry = await startRegistry();
      work = await makeWorkspace();
      await run(loginCommand(), { env: env(), input: registry.password });
    });
    after(async () => {
      await registry.stop();
      await work.remove();
    });

    const env = (who = 'known') => ({ HOME: work.at(who), HELM_REGISTRY_CONFIG: work.at(`${who}.json`) });
    const command = (...args: string[]): Command => [program(helmOf), ...args];
    const loginCommand = () => command('registry', 'login', registry.host, '--plain-http', '--username', registry.user, '--password-stdin');
    const helm = (...args: string[]) => run(command(...args), { env: env() });
    const repository = (name: string) => registry.repository(`${helmOf}/${name}`);
    const at = (name: string) => `oci://${registry.host}/${repository(name)}`;
    /** Packages a chart; answers the path of the archive. */
    const packaged = async (name: string, version: string, ...more: string[]) => {
      const source = await makeChart(work.at(`${name}-source`), version, `colour of ${name}`);
      await helm('package', source, '--destination', work.at(name), ...more);
      return work.at(name, `${CHART}-${version}.tgz`);
    };
    const pull = async (name: string, ...more: string[]) => {
      const folder = work.at(`${name}-back`);
      await mkdir(folder, { recursive: true });
      await helm('pull', `${at(name)}/${CHART}`, '--plain-http', '--destination', folder, ...more);
      return folder;
    };

    it('is refused without a password, and with a wrong one', async () => {
      const archive = await packaged('refused', '1.0.0');
      await fails(command('push', archive, at('refused'), '--plain-http'), { env: env('stranger') });
      assert.match(await fails(loginCommand(), { env: env('stranger'), input: 'not the password' }), /unauthorized|401/i);
      assert.equal(await manifestStatus(registry, repository(`refused/${CHART}`), '1.0.0'), 404);
    });

    it('pushes a chart, shows it, makes manifests of it, and pulls the same', async () => {
      const archive = await packaged('chart', '1.2.3');
      await helm('push', archive, at('chart'), '--plain-http');
      const stored = await manifestOf(registry, repository(`chart/${CHART}`), '1.2.3');
      const { config, layers = [] } = parsed(stored);
      assert.equal(config?.mediaType, CONFIG_TYPE);
      assert.deepEqual(
        layers.map(({ mediaType }) => mediaType),
        [CHART_TYPE],
      );
      sameBytes(await blobOf(registry, repository(`chart/${CHART}`), layers[0]?.digest ?? ''), await readFile(archive));
      const which = [`${at('chart')}/${CHART}`, '--version', '1.2.3', '--plain-http'];
      assert.match(await helm('show', 'chart', ...which), /^version: 1\.2\.3$/m);
      assert.match(await helm('template', 'mine', ...which), /colour: "colour of chart"/);
      const folder = await pull('chart', '--version', '1.2.3');
      sameBytes(await readFile(`${folder}/${CHART}-1.2.3.tgz`), await readFile(archive));
    });

    it('finds the newest version that fits, also one whose name has a plus', async () => {
      for (const version of ['1.0.0', '1.4.0', '1.5.0+build.7', '2.0.0']) {
        const archive = await packaged('many', version);
        await helm('push', archive, at('many'), '--plain-http');
      }
      // A tag has no plus; Helm writes an underscore.
      const tags = await tagsOf(registry, repository(`many/${CHART}`));
      assert.deepEqual(tags.toSorted(), ['1.0.0', '1.4.0', '1.5.0_build.7', '2.0.0']);
      const show = (version: string) => helm('show', 'chart', `${at('many')}/${CHART}`, '--version', version, '--plain-http');
      assert.match(await show('^1.0.0'), /^version: 1\.5\.0\+build\.7$/m);
      assert.match(await show('~1.4.0'), /^version: 1\.4\.0$/m);
      assert.match(await show('>0.0.0'), /^version: 2\.0\.0$/m);
    });

    it('pushes a signed chart with its provenance, and verifies it when it comes back', async () => {
      const rings = await makeKeyRings(work);
      const archive = await packaged('signed', '1.0.0', '--sign', '--key', rings.owner, '--keyring', rings.secret);
      await helm('push', archive, at('signed'), '--plain-http');
      const { layers = [] } = parsed(await manifestOf(registry, repository(`signed/${CHART}`), '1.0.0'));
      // Helm 3 orders them by digest.
      assert.deepEqual(layers.map(({ mediaType }) => mediaType).toSorted(), [CHART_TYPE, PROVENANCE_TYPE]);
      const folder = await pull('signed', '--version', '1.0.0', '--verify', '--keyring', rings.open);
      sameBytes(await readFile(`${folder}/${CHART}-1.0.0.tgz.prov`), await readFile(`${archive}.prov`));
    });

    it('does not find what was deleted', async () => {
      const archive = await packaged('deleted', '1.0.0');
      await helm('push', archive, at('deleted'), '--plain-http');
      const name = repository(`deleted/${CHART}`);
      const { digest } = await manifestOf(registry, name, '1.0.0');
      assert.equal((await askRegistry(registry, `${name}/manifests/${digest}`, 'DELETE')).status, 202);
      const show = command('show', 'chart', `${at('deleted')}/${CHART}`, '--version', '1.0.0', '--plain-http');
      assert.match(await fails(show, { env: env() }), /not found|404/i);
    });
  });
}
