/** The AWS CLI: the current version 1 and, where the machine has it, Debian's version 2. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { MIB, makeWorkspace, sha256Of, slice, sameBytes, type Workspace } from '../src/files.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';
import { attempt, fails, run } from '../src/shell.ts';

const CURRENT = { name: 'AWS CLI 1', program: `${CHECKOUT}/.tools/venv/bin/aws`, recent: true };
// Of 2023: without checksums by default, conditional writes, and AWS_ENDPOINT_URL.
const DEBIAN = { name: 'AWS CLI 2 of Debian', program: '/usr/bin/aws', recent: false };

for (const cli of [CURRENT, DEBIAN]) {
  (existsSync(cli.program) ? describe : describe.skip)(cli.name, () => {
    let server: Server;
    let work: Workspace;

    before(async () => {
      server = await startServer();
      work = await makeWorkspace();
      await writeFile(
        server.awsEnv.AWS_CONFIG_FILE ?? '',
        '[profile bonded]\ns3 =\n  multipart_threshold = 8MB\n  multipart_chunksize = 8MB\n  addressing_style = path\n  signature_version = s3v4\n',
      );
      await aws('s3', 'mb', 's3://cli');
    });
    after(async () => {
      await server.stop();
      await work.remove();
    });

    const command = (...args: string[]) => [cli.program, '--endpoint-url', server.url, ...args] as const;
    const aws = (...args: string[]) => run(command(...args), { env: server.awsEnv, cwd: work.folder });
    const awsFails = (...args: string[]) => fails(command(...args), { env: server.awsEnv, cwd: work.folder });
    const json = async <T>(...args: string[]) => JSON.parse(await aws('s3api', ...args, '--output', 'json')) as T;

    it('makes and lists buckets, and removes an empty one', async () => {
      await aws('s3', 'mb', 's3://short-lived');
      assert.match(await aws('s3', 'ls'), /^[\d-]+ [\d:]+ short-lived$/m);
      await aws('s3', 'rb', 's3://short-lived');
      assert.doesNotMatch(await aws('s3', 'ls'), /short-lived/);
      assert.match(await awsFails('s3', 'ls', 's3://short-lived'), /NoSuchBucket/);
      assert.equal((await json<{ LocationConstraint: string | null }>('get-bucket-location', '--bucket', 'cli')).LocationConstraint, null);
    });

    it('copies a small file up and down', async () => {
      const sample = await work.sample('small.bin', 5000);
      await aws('s3', 'cp', sample.path, 's3://cli/small.bin');
      assert.match(await aws('s3', 'ls', 's3://cli/small.bin'), /\s5000 small\.bin$/m);
      await aws('s3', 'cp', 's3://cli/small.bin', work.at('small.back'));
      assert.equal(await sha256Of(work.at('small.back')), sample.sha256);
    });

    it('copies an empty file, and a key with spaces, plus signs and other scripts', async () => {
      const empty = await work.sample('empty', 0);
      await aws('s3', 'cp', empty.path, 's3://cli/empty');
      const sample = await work.sample('odd.bin', 700);
      const key = 'odd/ä b+c & 日本 %41~(1).bin';
      await aws('s3', 'cp', sample.path, `s3://cli/${key}`);
      assert.ok((await aws('s3', 'ls', 's3://cli/odd/')).includes('ä b+c & 日本 %41~(1).bin'));
      await aws('s3', 'cp', `s3://cli/${key}`, work.at('odd.back'));
      assert.equal(await sha256Of(work.at('odd.back')), sample.sha256);
    });

    it('copies a large file up and down in parts, and within the store', async () => {
      const sample = await work.sample('large.bin', 24 * MIB + 17);
      await aws('s3', 'cp', sample.path, 's3://cli/large.bin');
      const head = await json<{ ETag: string; ContentLength: number }>('head-object', '--bucket', 'cli', '--key', 'large.bin');
      assert.match(head.ETag, /^"[0-9a-f]{32}-4"$/);
      assert.equal(head.ContentLength, sample.size);
      await aws('s3', 'cp', 's3://cli/large.bin', work.at('large.back'));
      assert.equal(await sha256Of(work.at('large.back')), sample.sha256);
      await aws('s3', 'cp', 's3://cli/large.bin', 's3://cli/large.copy');
      await aws('s3', 'cp', 's3://cli/large.copy', work.at('copy.back'));
      assert.equal(await sha256Of(work.at('copy.back')), sample.sha256);
    });

    it('streams from and to pipes', async () => {
      const text = 'from a pipe\n'.repeat(1000);
      await run(command('s3', 'cp', '-', 's3://cli/piped.txt'), { env: server.awsEnv, input: text });
      assert.equal(await aws('s3', 'cp', 's3://cli/piped.txt', '-'), text);
    });

    it('reads ranges', async () => {
      const sample = await work.sample('range.bin', 9000);
      await aws('s3', 'cp', sample.path, 's3://cli/range.bin');
      const got = await json<{ ContentRange: string }>(
        'get-object',
        '--bucket',
        'cli',
        '--key',
        'range.bin',
        '--range',
        'bytes=100-299',
        work.at('range.part'),
      );
      assert.equal(got.ContentRange, 'bytes 100-299/9000');
      sameBytes(await readFile(work.at('range.part')), await slice(sample.path, 100, 299));
    });

    it('moves and removes', async () => {
      const sample = await work.sample('wander.bin', 400);
      await aws('s3', 'mv', sample.path, 's3://cli/wander.bin');
      await aws('s3', 'mv', 's3://cli/wander.bin', 's3://cli/there/wander.bin');
      assert.match(await awsFails('s3api', 'head-object', '--bucket', 'cli', '--key', 'wander.bin'), /404/);
      await aws('s3', 'rm', 's3://cli/there/wander.bin');
      assert.equal((await attempt(command('s3', 'ls', 's3://cli/there/'), { env: server.awsEnv })).stdout, '');
    });

    it('synchronises a folder both ways, and only what changed', async () => {
      await mkdir(work.at('tree/a/b'), { recursive: true });
      const samples = await Promise.all(
        Array.from({ length: 12 }, (_, n) => work.sample(`tree/${n % 2 === 0 ? 'a/b' : 'a'}/file-${n}`, 300 + n)),
      );
      await aws('s3', 'sync', work.at('tree'), 's3://cli/tree', '--quiet');
      assert.equal(await aws('s3', 'sync', work.at('tree'), 's3://cli/tree'), '');
      await aws('s3', 'sync', 's3://cli/tree', work.at('tree.back'), '--quiet');
      for (const { path, sha256 } of samples) assert.equal(await sha256Of(path.replace('/tree/', '/tree.back/')), sha256);
      await rm(work.at('tree/a/b'), { recursive: true });
      assert.match(await aws('s3', 'sync', work.at('tree'), 's3://cli/tree', '--delete'), /delete: s3:\/\/cli\/tree\/a\/b\/file-0/);
      assert.match(await aws('s3', 'ls', '--recursive', '--summarize', 's3://cli/tree/'), /Total Objects: 6$/m);
      await aws('s3', 'rm', '--recursive', 's3://cli/tree/', '--quiet');
    });

    it('pages through a listing', async () => {
      await mkdir(work.at('pages'));
      await Promise.all(Array.from({ length: 25 }, (_, n) => writeFile(work.at('pages', `f${String(n).padStart(2, '0')}`), `${n}`)));
      await aws('s3', 'cp', '--recursive', work.at('pages'), 's3://cli/pages/', '--quiet');
      type Listing = { Contents?: { Key: string }[]; CommonPrefixes?: { Prefix: string }[]; NextToken?: string };
      const listing = await json<Listing>('list-objects-v2', '--bucket', 'cli', '--prefix', 'pages/', '--page-size', '4');
      assert.deepEqual(
        listing.Contents?.map(({ Key }) => Key),
        Array.from({ length: 25 }, (_, n) => `pages/f${String(n).padStart(2, '0')}`),
      );
      const first = await json<Listing>('list-objects', '--bucket', 'cli', '--delimiter', '/', '--prefix', 'pages');
      assert.deepEqual(first.CommonPrefixes, [{ Prefix: 'pages/' }]);
    });

    it('presigns a URL that anyone can fetch, for its time only', async () => {
      const sample = await work.sample('shared.bin', 2000);
      await aws('s3', 'cp', sample.path, 's3://cli/shared.bin');
      const url = (await aws('s3', 'presign', 's3://cli/shared.bin', '--expires-in', '60')).trim();
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.equal((await answer.arrayBuffer()).byteLength, sample.size);
      assert.equal((await fetch(url.replace('shared.bin', 'range.bin'))).status, 403);
    });

    it('tags objects and buckets', async () => {
      await aws('s3', 'cp', '--quiet', (await work.sample('tagged', 10)).path, 's3://cli/tagged');
      type Tags = { TagSet: { Key: string; Value: string }[] };
      const object = ['--bucket', 'cli', '--key', 'tagged'];
      await aws('s3api', 'put-object-tagging', ...object, '--tagging', 'TagSet=[{Key=team,Value=a},{Key=stage,Value=prod}]');
      const { TagSet } = await json<Tags>('get-object-tagging', ...object);
      assert.deepEqual(
        TagSet.toSorted((a, b) => a.Key.localeCompare(b.Key)),
        [
          { Key: 'stage', Value: 'prod' },
          { Key: 'team', Value: 'a' },
        ],
      );
      await aws('s3api', 'delete-object-tagging', ...object);
      assert.deepEqual((await json<Tags>('get-object-tagging', ...object)).TagSet, []);
      await aws('s3api', 'put-bucket-tagging', '--bucket', 'cli', '--tagging', 'TagSet=[{Key=cost,Value=42}]');
      assert.deepEqual((await json<Tags>('get-bucket-tagging', '--bucket', 'cli')).TagSet, [{ Key: 'cost', Value: '42' }]);
    });

    it('keeps versions, delete markers and old content', async () => {
      await aws('s3', 'mb', 's3://versioned');
      await aws('s3api', 'put-bucket-versioning', '--bucket', 'versioned', '--versioning-configuration', 'Status=Enabled');
      for (const text of ['one', 'two']) await run(command('s3', 'cp', '-', 's3://versioned/note'), { env: server.awsEnv, input: text });
      await aws('s3', 'rm', 's3://versioned/note');
      type Versions = {
        Versions: { VersionId: string; IsLatest: boolean; Size: number }[];
        DeleteMarkers: { VersionId: string; IsLatest: boolean }[];
      };
      const { Versions, DeleteMarkers } = await json<Versions>('list-object-versions', '--bucket', 'versioned');
      assert.equal(Versions.length, 2);
      assert.deepEqual(
        DeleteMarkers.map(({ IsLatest }) => IsLatest),
        [true],
      );
      assert.match(await awsFails('s3', 'cp', 's3://versioned/note', '-'), /404/);
      await aws(
        's3api',
        'get-object',
        '--bucket',
        'versioned',
        '--key',
        'note',
        '--version-id',
        Versions[1]?.VersionId ?? '',
        work.at('note'),
      );
      assert.equal(await readFile(work.at('note'), 'utf8'), 'one');
      await aws('s3api', 'delete-object', '--bucket', 'versioned', '--key', 'note', '--version-id', DeleteMarkers[0]?.VersionId ?? '');
      assert.equal(await aws('s3', 'cp', 's3://versioned/note', '-'), 'two');
      assert.match(await awsFails('s3', 'rb', 's3://versioned'), /BucketNotEmpty/);
    });

    it('sets and reads policy and CORS', async () => {
      const policy = {
        Version: '2012-10-17',
        Statement: [{ Sid: 'Public', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::cli/public/*' }],
      };
      await run(command('s3', 'cp', '-', 's3://cli/public/page'), { env: server.awsEnv, input: 'for all' });
      assert.equal((await fetch(`${server.url}/cli/public/page`)).status, 403);
      await aws('s3api', 'put-bucket-policy', '--bucket', 'cli', '--policy', JSON.stringify(policy));
      assert.deepEqual(JSON.parse((await json<{ Policy: string }>('get-bucket-policy', '--bucket', 'cli')).Policy), policy);
      assert.equal(await (await fetch(`${server.url}/cli/public/page`)).text(), 'for all');
      assert.equal((await fetch(`${server.url}/cli/small.bin`)).status, 403);
      assert.equal(
        (await json<{ PolicyStatus: { IsPublic: boolean } }>('get-bucket-policy-status', '--bucket', 'cli')).PolicyStatus.IsPublic,
        true,
      );
      await aws('s3api', 'delete-bucket-policy', '--bucket', 'cli');
      assert.match(await awsFails('s3api', 'get-bucket-policy', '--bucket', 'cli'), /NoSuchBucketPolicy/);
      assert.equal((await fetch(`${server.url}/cli/public/page`)).status, 403);

      const cors = { CORSRules: [{ AllowedOrigins: ['https://app.example'], AllowedMethods: ['GET'], MaxAgeSeconds: 60 }] };
      await aws('s3api', 'put-bucket-cors', '--bucket', 'cli', '--cors-configuration', JSON.stringify(cors));
      assert.deepEqual(await json('get-bucket-cors', '--bucket', 'cli'), cors);
      const preflight = await fetch(`${server.url}/cli/public/page`, {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
      });
      assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example');
      await aws('s3api', 'delete-bucket-cors', '--bucket', 'cli');
    });

    it('uploads in parts by hand, lists them, and gives an upload up', async () => {
      const sample = await work.sample('part', 5 * MIB);
      const target = ['--bucket', 'cli', '--key', 'by-hand'];
      const { UploadId } = await json<{ UploadId: string }>('create-multipart-upload', ...target);
      const upload = [...target, '--upload-id', UploadId];
      const { ETag } = await json<{ ETag: string }>('upload-part', ...upload, '--part-number', '1', '--body', sample.path);
      assert.equal((await json<{ Parts: unknown[] }>('list-parts', ...upload)).Parts.length, 1);
      assert.equal((await json<{ Uploads: { Key: string }[] }>('list-multipart-uploads', '--bucket', 'cli')).Uploads[0]?.Key, 'by-hand');
      const wrong = `Parts=[{PartNumber=1,ETag="${'0'.repeat(32)}"}]`;
      assert.match(await awsFails('s3api', 'complete-multipart-upload', ...upload, '--multipart-upload', wrong), /InvalidPart/);
      await aws('s3api', 'complete-multipart-upload', ...upload, '--multipart-upload', `Parts=[{PartNumber=1,ETag=${ETag}}]`);
      const second = await json<{ UploadId: string }>('create-multipart-upload', ...target);
      await aws('s3api', 'abort-multipart-upload', ...target, '--upload-id', second.UploadId);
      assert.match(await awsFails('s3api', 'list-parts', ...target, '--upload-id', second.UploadId), /NoSuchUpload/);
    });

    it('checks checksums that it is asked to send', async () => {
      const sample = await work.sample('summed.bin', 4000);
      for (const algorithm of ['CRC32', 'SHA1', 'SHA256']) {
        const put = await json<Record<string, string>>(
          'put-object',
          '--bucket',
          'cli',
          '--key',
          'summed',
          '--body',
          sample.path,
          '--checksum-algorithm',
          algorithm,
        );
        const value = put[`Checksum${algorithm}`];
        assert.ok(value, JSON.stringify(put));
        const head = await json<Record<string, string>>('head-object', '--bucket', 'cli', '--key', 'summed', '--checksum-mode', 'ENABLED');
        assert.equal(head[`Checksum${algorithm}`], value);
        if (algorithm === 'SHA256') assert.equal(Buffer.from(value, 'base64').toString('hex'), sample.sha256);
      }
      const wrong = ['--checksum-sha256', Buffer.alloc(32).toString('base64')];
      assert.match(
        await awsFails('s3api', 'put-object', '--bucket', 'cli', '--key', 'never', '--body', sample.path, ...wrong),
        /BadDigest/,
      );
      assert.match(await awsFails('s3api', 'head-object', '--bucket', 'cli', '--key', 'never'), /404/);
      const attributes = await json<{ ObjectSize: number; Checksum: Record<string, string> }>(
        'get-object-attributes',
        '--bucket',
        'cli',
        '--key',
        'summed',
        '--object-attributes',
        'ObjectSize',
        'Checksum',
        'ETag',
      );
      assert.equal(attributes.ObjectSize, 4000);
      assert.ok(attributes.Checksum.ChecksumSHA256);
    });

    it('writes under conditions', async function () {
      if (!cli.recent) this.skip();
      const sample = await work.sample('once', 10);
      const put = ['s3api', 'put-object', '--bucket', 'cli', '--key', 'once', '--body', sample.path];
      await aws(...put, '--if-none-match', '*');
      assert.match(await awsFails(...put, '--if-none-match', '*'), /PreconditionFailed/);
      assert.match(await awsFails(...put, '--if-match', '"00000000000000000000000000000000"'), /PreconditionFailed/);
    });

    it('shows who is refused and what is missing', async () => {
      const { AWS_PROFILE: _profile, ...rest } = server.awsEnv;
      const stranger = { ...rest, AWS_ACCESS_KEY_ID: server.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' };
      assert.match(await fails(command('s3api', 'list-buckets'), { env: stranger }), /SignatureDoesNotMatch/);
      assert.match(
        await fails(command('s3api', 'list-buckets'), { env: { ...stranger, AWS_ACCESS_KEY_ID: 'AKIANOBODYKNOWSTHIS0' } }),
        /InvalidAccessKeyId/,
      );
      assert.match(await awsFails('--no-sign-request', 's3', 'ls', 's3://cli'), /AccessDenied/);
      assert.match(await awsFails('s3', 'cp', 's3://cli/no-such-key', '-'), /404/);
      assert.match(await awsFails('s3api', 'get-object', '--bucket', 'cli', '--key', 'no-such-key', '/dev/null'), /NoSuchKey/);
      assert.match(
        await awsFails('s3api', 'get-bucket-replication', '--bucket', 'cli'),
        /NotImplemented|ReplicationConfigurationNotFoundError/,
      );
    });

    it('removes a bucket with everything in it', async () => {
      await aws('s3', 'rb', '--force', 's3://cli');
      assert.match(await awsFails('s3api', 'head-bucket', '--bucket', 'cli'), /404/);
    });
  });
}
