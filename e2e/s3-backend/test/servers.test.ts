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
import { setTimeout as sleep } from 'node:timers/promises';
import { errorOf, s3Client } from '../../src/s3.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { BUCKET, startPair, type Pair } from '../pair.ts';

const Bucket = BUCKET;
const MIB = 1024 * 1024;

for (const [name, rate] of BACKENDS.flatMap((name) => [0, 0.05].map((rate) => [name, rate] as const))) {
  describe(`two servers with nothing in common but a bucket of ${name}${rate > 0 ? ', each behind a faulty network' : ''}`, function () {
    this.timeout(120_000);
    let backend: Backend;
    let pair: Pair;
    let servers: Pair['servers'];
    let clients: readonly [S3Client, S3Client];

    before(async () => {
      backend = await startBackend(name);
      pair = await startPair(backend, { rate });
      servers = pair.servers;
      // Faults are for the servers to live with: nobody tries again here.
      clients = [s3Client(servers[0], { maxAttempts: 1 }), s3Client(servers[1], { maxAttempts: 1 })];
    });
    after(async () => {
      await pair.stop();
      await backend.stop();
    });
    if (rate > 0) it('suffer faults', () => assert.ok(pair.faults() > 5));

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

    it('let exactly one of many replace a version', async () => {
      for (let round = 0; round < 3; round += 1) {
        const { ETag } = await clients[0].send(new PutObjectCommand({ Bucket, Key: 'one', Body: `round ${round}` }));
        const attempts = Array.from({ length: 8 }, async (_, n) => {
          const Body = `round ${round}, writer ${n}`;
          await clients[n % 2]?.send(new PutObjectCommand({ Bucket, Key: 'one', Body, IfMatch: ETag }));
          return Body;
        });
        const winners = (await Promise.allSettled(attempts)).filter((result) => result.status === 'fulfilled');
        assert.equal(winners.length, 1);
        for (const client of clients) assert.equal((await bytesOf(client, 'one')).toString(), winners[0]?.value);
      }
    });

    it('complete an upload or abort it, when each is asked for one of them', async () => {
      for (let round = 0; round < 6; round += 1) {
        const Key = `ended ${round}`;
        const { UploadId } = await clients[0].send(new CreateMultipartUploadCommand({ Bucket, Key }));
        const Body = randomBytes(100_000);
        const { ETag } = await clients[1].send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }));
        const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
        const [completed] = await Promise.allSettled([
          clients[round % 2]?.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload })),
          sleep(round * 10).then(() => clients[(round + 1) % 2]?.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))),
        ]);
        for (const client of clients) {
          if (completed.status === 'fulfilled') assert.ok((await bytesOf(client, Key)).equals(Body));
          else assert.equal((await errorOf(bytesOf(client, Key))).status, 404);
        }
      }
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
