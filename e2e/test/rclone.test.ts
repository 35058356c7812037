/** rclone of Debian. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { MIB, makeWorkspace, sha256Of, slice, sameBytes, type Workspace } from '../src/files.ts';
import { startServer, type Server } from '../src/server.ts';
import { fails, run } from '../src/shell.ts';

const RCLONE = '/usr/bin/rclone';

(existsSync(RCLONE) ? describe : describe.skip)('rclone', () => {
  let server: Server;
  let work: Workspace;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
    await rclone('mkdir', 'b:rclone');
  });
  after(async () => {
    await server.stop();
    await work.remove();
  });

  const env = (secret = server.credentials.secretAccessKey) => ({
    PATH: server.awsEnv.PATH ?? '',
    HOME: work.folder,
    RCLONE_CONFIG: work.at('rclone.conf'),
    RCLONE_RETRIES: '1',
    RCLONE_LOW_LEVEL_RETRIES: '1',
    RCLONE_CONFIG_B_TYPE: 's3',
    RCLONE_CONFIG_B_PROVIDER: 'Other',
    RCLONE_CONFIG_B_ENDPOINT: server.url,
    RCLONE_CONFIG_B_REGION: 'us-east-1',
    RCLONE_CONFIG_B_FORCE_PATH_STYLE: 'true',
    RCLONE_CONFIG_B_ACCESS_KEY_ID: server.credentials.accessKeyId,
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY: secret,
    RCLONE_CONFIG_B_CHUNK_SIZE: '5M',
    RCLONE_CONFIG_B_UPLOAD_CUTOFF: '8M',
  });
  const rclone = (...args: string[]) => run([RCLONE, ...args], { env: env() });

  it('copies files up and down with their times', async () => {
    const sample = await work.sample('small.bin', 12_345);
    await rclone('copy', sample.path, 'b:rclone/files');
    const [entry] = JSON.parse(await rclone('lsjson', '--hash', 'b:rclone/files')) as {
      Name: string;
      Size: number;
      ModTime: string;
      Hashes: { md5: string };
    }[];
    assert.deepEqual([entry?.Name, entry?.Size], ['small.bin', 12_345]);
    assert.match(entry?.Hashes.md5 ?? '', /^[0-9a-f]{32}$/);
    await rclone('copy', 'b:rclone/files/small.bin', work.at('back'));
    assert.equal(await sha256Of(work.at('back/small.bin')), sample.sha256);
  });

  it('uploads a large file in parts, checks it, and reads a stretch of it', async () => {
    const sample = await work.sample('large.bin', 22 * MIB + 5);
    await rclone('copyto', sample.path, 'b:rclone/large.bin');
    await rclone('check', '--download', '--one-way', work.folder, 'b:rclone', '--include', '/large.bin');
    const stretch = await run([RCLONE, 'cat', '--offset', String(6 * MIB), '--count', '64', 'b:rclone/large.bin'], { env: env() });
    assert.equal(stretch, (await slice(sample.path, 6 * MIB, 6 * MIB + 63)).toString());
  });

  it('streams from a pipe of unknown length', async () => {
    const text = 'through a pipe\n'.repeat(2000);
    await run([RCLONE, 'rcat', 'b:rclone/piped.txt'], { env: env(), input: text });
    assert.equal(await rclone('cat', 'b:rclone/piped.txt'), text);
  });

  it('synchronises a folder: nothing to do the second time, deletions follow', async () => {
    await mkdir(work.at('tree/sub'), { recursive: true });
    for (const name of ['one', 'two', 'sub/three', 'sub/with space & ü']) await work.sample(`tree/${name}`, 100 + name.length);
    await rclone('sync', work.at('tree'), 'b:rclone/tree');
    const again = await run([RCLONE, 'sync', '--dry-run', '--stats-one-line', '-v', work.at('tree'), 'b:rclone/tree'], { env: env() });
    assert.doesNotMatch(again, /Skipped copy/);
    await rclone('check', work.at('tree'), 'b:rclone/tree');
    await rm(work.at('tree/two'));
    await rclone('sync', work.at('tree'), 'b:rclone/tree');
    const listed = (await rclone('lsf', '-R', '--files-only', 'b:rclone/tree')).trim().split('\n').toSorted();
    assert.deepEqual(listed, ['one', 'sub/three', 'sub/with space & ü']);
    await rclone('sync', 'b:rclone/tree', work.at('tree.back'));
    await rclone('check', work.at('tree.back'), 'b:rclone/tree');
  });

  it('copies and moves within the store, small and in parts', async () => {
    await work.sample('mover', 1000);
    await rclone('copyto', work.at('mover'), 'b:rclone/moving/a');
    await rclone('moveto', 'b:rclone/moving/a', 'b:rclone/moving/b');
    assert.equal((await rclone('lsf', 'b:rclone/moving')).trim(), 'b');
    const large = await work.sample('copied.bin', 12 * MIB);
    await rclone('copyto', large.path, 'b:rclone/copied.bin');
    await run([RCLONE, 'copyto', '--s3-copy-cutoff', '5M', 'b:rclone/copied.bin', 'b:rclone/copied-in-parts.bin'], { env: env() });
    await rclone('copyto', 'b:rclone/copied-in-parts.bin', work.at('copied.back'));
    assert.equal(await sha256Of(work.at('copied.back')), large.sha256);
  });

  it('makes a link that anyone can fetch', async () => {
    await work.sample('linked', 500);
    await rclone('copyto', work.at('linked'), 'b:rclone/linked');
    const answer = await fetch((await rclone('link', '--expire', '60s', 'b:rclone/linked')).trim());
    assert.equal(answer.status, 200);
    sameBytes(Buffer.from(await answer.arrayBuffer()), await readFile(work.at('linked')));
  });

  it('reaches old versions where versioning is on', async () => {
    await rclone('mkdir', 'b:rclone-versions');
    await rclone('backend', 'versioning', 'b:rclone-versions', 'Enabled').catch(() => undefined);
    await run([RCLONE, 'rcat', 'b:rclone-versions/note'], { env: env(), input: 'old' });
    await run([RCLONE, 'rcat', 'b:rclone-versions/note'], { env: env(), input: 'new' });
    assert.equal(await rclone('cat', 'b:rclone-versions/note'), 'new');
    const listed = (await rclone('lsf', '--s3-versions', 'b:rclone-versions')).trim().split('\n');
    assert.ok(listed.includes('note'), listed.join());
  });

  it('deletes a file, a folder, a bucket', async () => {
    await rclone('deletefile', 'b:rclone/piped.txt');
    await rclone('purge', 'b:rclone/tree');
    assert.doesNotMatch(await rclone('lsf', '-R', 'b:rclone'), /piped|tree/);
    await rclone('delete', 'b:rclone');
    await rclone('rmdir', 'b:rclone');
    assert.doesNotMatch(await rclone('lsd', 'b:'), / rclone$/m);
  });

  it('shows what is refused and what is missing', async () => {
    assert.match(await fails([RCLONE, 'lsd', 'b:'], { env: env('wrong') }), /SignatureDoesNotMatch/);
    assert.match(await fails([RCLONE, 'link', 'b:rclone-versions/absent'], { env: env() }), /object not found/);
    assert.match(await fails([RCLONE, 'deletefile', 'b:rclone-versions/absent'], { env: env() }), /doesn't exist/);
    assert.match(await fails([RCLONE, 'lsf', 'b:rclone-no-such-bucket'], { env: env() }), /directory not found/i);
  });
});
