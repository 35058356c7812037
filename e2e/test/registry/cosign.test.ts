/** cosign 3 and 2: signatures and attestations beside an image, with a key pair of their own and no other service. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { makeWorkspace, type Workspace } from '../../src/files.ts';
import { makeImage, type Image } from '../../src/registry/layout.ts';
import { program } from '../../src/registry/programs.ts';
import { startRegistry, type Registry } from '../../src/registry/registry.ts';
import { assertStands, manifestOf, parsed, tagsOf } from '../../src/registry/wire.ts';
import { fails, run, type Command } from '../../src/shell.ts';

/** Neither transparency log nor keyless signing: those are services of their own. */
const SIGNING = {
  cosign3: ['--tlog-upload=false', '--use-signing-config=false', '--yes'],
  cosign2: ['--tlog-upload=false', '--yes'],
} as const;
const HTTP = '--allow-http-registry';
const PREDICATE = 'https://bonded.test/checked/v1';

for (const cosignOf of ['cosign3', 'cosign2'] as const) {
  describe(cosignOf, () => {
    let registry: Registry;
    let work: Workspace;

    before(async () => {
      program(cosignOf);
      registry = await startRegistry();
      work = await makeWorkspace();
      await writeFile(work.at('predicate.json'), '{"checked":true}');
      for (const name of ['right', 'wrong']) await run(command('generate-key-pair', '--output-key-prefix', work.at(name)), { env: env() });
      await run(command('login', registry.host, '--username', registry.user, '--password-stdin'), { env: env(), input: registry.password });
    });
    after(async () => {
      await registry.stop();
      await work.remove();
    });

    const env = (who = 'known') => ({ HOME: work.at(who), DOCKER_CONFIG: work.at(who), COSIGN_PASSWORD: '' });
    const command = (...args: string[]): Command => [program(cosignOf), ...args];
    const cosign = (...args: string[]) => run(command(...args), { env: env() });
    const repository = (name: string) => registry.repository(`${cosignOf}/${name}`);
    /** Pushes an image; answers it with the name that cosign is to be given. */
    const pushed = async (name: string): Promise<Image & { readonly name: string }> => {
      const image = await makeImage(work.at(name), 'a');
      const at = `${registry.host}/${repository(name)}`;
      await run([program('crane'), 'push', image.layout, `${at}:a`], { env: env() });
      return { ...image, name: `${at}@${image.descriptor.digest}` };
    };
    const signCommand = (name: string) => command('sign', '--key', work.at('right.key'), HTTP, ...SIGNING[cosignOf], name);
    const verifyCommand = (key: string, name: string) =>
      command('verify', '--key', work.at(`${key}.pub`), '--insecure-ignore-tlog', HTTP, name);

    it('is refused without a password', async () => {
      const { name } = await pushed('refused');
      const said = await fails(signCommand(name), { env: env('stranger') });
      assert.match(said, /unauthorized|401/i);
      assert.deepEqual(await tagsOf(registry, repository('refused')), ['a']);
    });

    it('signs an image, and verifies it with the right key only', async () => {
      const image = await pushed('signed');
      assert.match(await fails(verifyCommand('right', image.name), { env: env() }), /no signatures found/i);
      await run(signCommand(image.name), { env: env() });
      const [claim] = JSON.parse(await run(verifyCommand('right', image.name), { env: env() })) as {
        critical: { image: { 'docker-manifest-digest': string } };
      }[];
      assert.equal(claim?.critical.image['docker-manifest-digest'], image.descriptor.digest);
      await fails(verifyCommand('wrong', image.name), { env: env() });
      await assertStands(registry, repository('signed'), 'a', image);
    });

    it('attests something of an image, and verifies that', async () => {
      const { name, descriptor } = await pushed('attested');
      const subject = ['--type', PREDICATE, HTTP];
      await cosign(
        'attest',
        '--key',
        work.at('right.key'),
        '--predicate',
        work.at('predicate.json'),
        ...subject,
        ...SIGNING[cosignOf],
        name,
      );
      const verify = (key: string) =>
        command('verify-attestation', '--key', work.at(`${key}.pub`), '--insecure-ignore-tlog', ...subject, name);
      const [line = ''] = (await run(verify('right'), { env: env() })).trim().split('\n');
      const { payload } = JSON.parse(line) as { payload: string };
      const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
        predicateType: string;
        subject: { digest: { sha256: string } }[];
      };
      assert.equal(statement.predicateType, PREDICATE);
      assert.equal(`sha256:${statement.subject[0]?.digest.sha256}`, descriptor.digest);
      await fails(verify('wrong'), { env: env() });
    });

    it('keeps what it signed where the clients of its age look', async () => {
      const { name, descriptor } = await pushed('kept');
      await run(signCommand(name), { env: env() });
      const tree = await cosign('tree', HTTP, name);
      const tag = `${descriptor.digest.replace(':', '-')}.sig`;
      if (cosignOf === 'cosign2') {
        assert.ok(tree.includes(tag), tree);
        assert.ok((await tagsOf(registry, repository('kept'))).includes(tag));
        return;
      }
      const referrer = /OCI referrer: \S+@(sha256:[0-9a-f]{64})/.exec(tree)?.[1] ?? '';
      assert.equal(parsed(await manifestOf(registry, repository('kept'), referrer)).subject?.digest, descriptor.digest);
    });

    // What the newer one refers to its subject with is removed as any manifest is.
    if (cosignOf === 'cosign2')
      it('removes its signatures', async () => {
        const { name } = await pushed('cleaned');
        await run(signCommand(name), { env: env() });
        await cosign('clean', HTTP, '--force', '--type', 'signature', name);
        assert.deepEqual(await tagsOf(registry, repository('cleaned')), ['a']);
        await fails(verifyCommand('right', name), { env: env() });
      });
  });
}
