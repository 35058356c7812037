/** s3cmd of Debian. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { MIB, makeWorkspace, sha256Of, slice, type Workspace } from '../src/files.ts';
import { startServer, type Server } from '../src/server.ts';
import { fails, run } from '../src/shell.ts';

const S3CMD = '/usr/bin/s3cmd';

(existsSync(S3CMD) ? describe : describe.skip)('s3cmd', () => {
  let server: Server;
  let work: Workspace;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
    await writeFile(work.at('s3cfg'), configuration(server.credentials.secretAccessKey));
    await writeFile(work.at('s3cfg.wrong'), configuration('wrong'));
    await s3cmd('mb', 's3://s3cmd');
  });
  after(async () => {
    await server.stop();
    await work.remove();
  });

  const configuration = (secret: string) =>
    Object.entries({
      access_key: server.credentials.accessKeyId,
      secret_key: secret,
      host_base: server.host,
      host_bucket: server.host,
      use_https: 'False',
      multipart_chunk_size_mb: '5',
      max_retries: '1',
      progress_meter: 'False',
    }).reduce((text, [name, value]) => `${text}${name} = ${value}\n`, '[default]\n');
  const env = () => ({ PATH: server.awsEnv.PATH ?? '', HOME: work.folder, LC_ALL: 'C.UTF-8' });
  const command = (config: string, args: string[]) => [S3CMD, '--config', work.at(config), ...args] as const;
  const s3cmd = (...args: string[]) => run(command('s3cfg', args), { env: env() });
  const s3cmdFails = (...args: string[]) => fails(command('s3cfg', args), { env: env() });

  it('puts, lists, describes and gets a small file', async () => {
    const sample = await work.sample('small.bin', 4321);
    await s3cmd('put', '--add-header=x-amz-meta-who:me', '--mime-type=application/x-small', sample.path, 's3://s3cmd/small.bin');
    assert.match(await s3cmd('ls', 's3://s3cmd'), /\s4321\s+s3:\/\/s3cmd\/small\.bin$/m);
    const info = await s3cmd('info', 's3://s3cmd/small.bin');
    assert.match(info, /File size:\s+4321/);
    assert.match(info, /MIME type:\s+application\/x-small/);
    assert.match(info, /x-amz-meta-who:\s+me/);
    await s3cmd('get', 's3://s3cmd/small.bin', work.at('small.back'));
    assert.equal(await sha256Of(work.at('small.back')), sample.sha256);
  });

  it('puts a large file in parts, and takes a broken download up again', async () => {
    const sample = await work.sample('large.bin', 21 * MIB);
    await s3cmd('put', sample.path, 's3://s3cmd/large.bin');
    const half = work.at('large.back');
    await writeFile(half, await slice(sample.path, 0, 9 * MIB - 1));
    await s3cmd('get', '--continue', 's3://s3cmd/large.bin', half);
    assert.equal(await sha256Of(half), sample.sha256);
  });

  it('copies, moves, modifies and deletes', async () => {
    await s3cmd('put', (await work.sample('mobile', 300)).path, 's3://s3cmd/mobile');
    await s3cmd('cp', 's3://s3cmd/mobile', 's3://s3cmd/copy');
    await s3cmd('mv', 's3://s3cmd/mobile', 's3://s3cmd/moved');
    await s3cmd('modify', '--add-header=x-amz-meta-note:changed', 's3://s3cmd/moved');
    assert.match(await s3cmd('info', 's3://s3cmd/moved'), /x-amz-meta-note:\s+changed/);
    await s3cmd('del', 's3://s3cmd/moved', 's3://s3cmd/copy');
    assert.doesNotMatch(await s3cmd('ls', 's3://s3cmd'), /mobile|copy|moved/);
  });

  it('synchronises a folder, and deletes what is gone', async () => {
    await mkdir(work.at('tree/sub'), { recursive: true });
    for (const name of ['one', 'two', 'sub/three ü']) await work.sample(`tree/${name}`, 50 + name.length);
    await s3cmd('sync', `${work.at('tree')}/`, 's3://s3cmd/tree/');
    assert.doesNotMatch(await s3cmd('sync', `${work.at('tree')}/`, 's3://s3cmd/tree/'), /upload:/);
    await rm(work.at('tree/two'));
    assert.match(await s3cmd('sync', '--delete-removed', `${work.at('tree')}/`, 's3://s3cmd/tree/'), /delete: 's3:\/\/s3cmd\/tree\/two'/);
    await mkdir(work.at('tree.back'));
    await s3cmd('sync', 's3://s3cmd/tree/', `${work.at('tree.back')}/`);
    assert.equal(await sha256Of(work.at('tree.back/sub/three ü')), await sha256Of(work.at('tree/sub/three ü')));
    assert.match(await s3cmd('du', 's3://s3cmd/tree/'), /2 objects/);
    await s3cmd('del', '--recursive', '--force', 's3://s3cmd/tree/');
    assert.equal((await s3cmd('ls', '--recursive', 's3://s3cmd/tree/')).trim(), '');
  });

  it('sets and removes a policy and CORS', async () => {
    const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::s3cmd/small.bin' };
    await writeFile(work.at('policy.json'), JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
    await s3cmd('setpolicy', work.at('policy.json'), 's3://s3cmd');
    assert.equal((await fetch(`${server.url}/s3cmd/small.bin`)).status, 200);
    await s3cmd('delpolicy', 's3://s3cmd');
    assert.equal((await fetch(`${server.url}/s3cmd/small.bin`)).status, 403);
    const rule = '<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>';
    await writeFile(work.at('cors.xml'), `<CORSConfiguration>${rule}</CORSConfiguration>`);
    await s3cmd('setcors', work.at('cors.xml'), 's3://s3cmd');
    assert.match(await s3cmd('info', 's3://s3cmd'), /AllowedMethod/);
    await s3cmd('delcors', 's3://s3cmd');
  });

  it('lists and gives up an upload in parts', async () => {
    assert.match(await s3cmd('multipart', 's3://s3cmd'), /Initiated\s+Path\s+Id/);
  });

  it('is told that signatures of the old kind are not taken', async () => {
    const url = (await s3cmd('signurl', 's3://s3cmd/small.bin', '+60')).trim();
    const answer = await fetch(url);
    assert.ok(answer.status === 400 || answer.status === 403, String(answer.status));
    assert.match(await answer.text(), /<Code>(AccessDenied|InvalidRequest|InvalidArgument)<\/Code>/);
  });

  it('shows what is refused and what is missing', async () => {
    assert.match(await fails(command('s3cfg.wrong', ['ls']), { env: env() }), /SignatureDoesNotMatch|does not match/i);
    assert.match(await s3cmdFails('get', 's3://s3cmd/absent', work.at('absent')), /NoSuchKey|404|does not exist/);
    assert.match(await s3cmdFails('ls', 's3://s3cmd-no-such-bucket'), /NoSuchBucket|does not exist/);
  });

  it('removes the bucket with all in it', async () => {
    await s3cmd('rb', '--recursive', '--force', 's3://s3cmd');
    assert.doesNotMatch(await s3cmd('ls'), /s3:\/\/s3cmd$/m);
  });
});
