import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorOf, s3Client } from '../../src/s3.ts';
import { startServer, type Server } from '../../src/server.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { storageIn } from '../storage.ts';

const Bucket = 'shared';
const BUCKET = `apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: shared, namespace: default }
spec: { versioning: Enabled }
`;
const MIB = 1024 * 1024;

for (const name of BACKENDS) {
  describe(`two servers with nothing in common but a bucket of ${name}`, function () {
    this.timeout(120_000);
    let folder: string;
    let backend: Backend;
    let servers: readonly [Server, Server];
    let clients: readonly [S3Client, S3Client];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'two-servers-'));
      backend = await startBackend(name);
      const env = { ...(await storageIn(folder, backend, { bucket: await backend.newBucket() })), BONDED_WORKERS: '1' };
      const options = { env, manifests: { 'shared.yaml': BUCKET } };
      const first = await startServer(options);
      // The same keys, so that one client may go to either.
      const keys = await readFile(join(first.dataFolder, 'root-credentials'), 'utf8');
      const second = await startServer({ ...options, dataFiles: { 'root-credentials': keys } });
      servers = [first, second];
      clients = [s3Client(first), s3Client(second)];
    });
    after(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await backend.stop();
      await rm(folder, { recursive: true });
    });

    const bytesOf = async (client: S3Client, Key: string): Promise<Buffer> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    };

    it('show at once what was written and deleted through the other', async () => {
      for (let round = 0; round < 10; round += 1) {
        const [writer, reader] = round % 2 === 0 ? clients : ([clients[1], clients[0]] as const);
        const Body = randomBytes(round % 3 === 0 ? 100 : 200_000);
        await writer.send(new PutObjectCommand({ Bucket, Key: 'now', Body }));
        assert.ok((await bytesOf(reader, 'now')).equals(Body));
        const { Contents = [] } = await reader.send(new ListObjectsV2Command({ Bucket }));
        assert.ok(Contents.some(({ Key, Size }) => Key === 'now' && Size === Body.byteLength));
        await writer.send(new DeleteObjectCommand({ Bucket, Key: 'now' }));
        assert.equal((await errorOf(bytesOf(reader, 'now'))).status, 404);
      }
    });

    it('let exactly one of many create a name', async () => {
      const attempts = Array.from({ length: 16 }, async (_, n) => {
        await clients[n % 2]?.send(new PutObjectCommand({ Bucket, Key: 'once', Body: `writer ${n}`, IfNoneMatch: '*' }));
        return n;
      });
      const results = await Promise.allSettled(attempts);
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      assert.equal(winners.length, 1);
      for (const client of clients) assert.equal((await bytesOf(client, 'once')).toString(), `writer ${winners[0]}`);
    });

    it('continue an upload that was begun through the other, which is gone', async () => {
      const [first, second] = clients;
      const parts = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(1000)];
      const { UploadId } = await first.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
      const send = async (client: S3Client, number: number) => {
        const { ETag } = await client.send(
          new UploadPartCommand({ Bucket, Key: 'large', UploadId, PartNumber: number, Body: parts[number - 1] }),
        );
        return { PartNumber: number, ETag };
      };
      const done = [await send(first, 1)];
      await servers[0].kill();
      done.push(await send(second, 2), await send(second, 3));
      await second.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'large', UploadId, MultipartUpload: { Parts: done } }));
      assert.ok((await bytesOf(second, 'large')).equals(Buffer.concat(parts)));
      await servers[0].start();
      assert.ok((await bytesOf(first, 'large')).equals(Buffer.concat(parts)));
      assert.equal((await errorOf(first.send(new AbortMultipartUploadCommand({ Bucket, Key: 'large', UploadId })))).status, 404);
    });
  });
}
