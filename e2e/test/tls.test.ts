/** HTTPS, where SDKs leave bodies unsigned and put checksums into trailers. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { makeCertificate, type CertificateFiles } from '../src/certificate.ts';
import { MIB, makeWorkspace, sha256Of, type Workspace } from '../src/files.ts';
import { s3Client } from '../src/s3.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';
import { attempt, fails, run } from '../src/shell.ts';
import { runStep, stepsOf } from '../src/steps.ts';

const AWS = `${CHECKOUT}/.tools/venv/bin/aws`;
const Bucket = 'tls-bucket';
const steps = await stepsOf('store.py');

describe('HTTPS', () => {
  let server: Server;
  let work: Workspace;
  let files: CertificateFiles;

  before(async () => {
    work = await makeWorkspace();
    files = await makeCertificate(work.folder, 'first');
    server = await startServer({ tls: files });
  });
  after(async () => {
    await server.stop();
    await work.remove();
  });

  const env = () => ({ ...server.awsEnv, AWS_CA_BUNDLE: files.certificate, AWS_ENDPOINT_URL: server.url, ENDPOINT: server.url });
  const client = () => s3Client(server, { requestHandler: { httpsAgent: new Agent({ ca: readFileSync(files.certificate) }) } });

  it('takes uploads of the AWS SDK for JavaScript, whole and in parts', async () => {
    const s3 = client();
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'over TLS' }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'small' }));
    assert.equal(await Body?.transformToString(), 'over TLS');
    const chunk = Buffer.alloc(MIB, 'x');
    await new Upload({ client: s3, params: { Bucket, Key: 'large', Body: Readable.from(Array<Buffer>(12).fill(chunk)) } }).done();
    const large = await s3.send(new GetObjectCommand({ Bucket, Key: 'large' }));
    assert.equal((await large.Body?.transformToByteArray())?.length, 12 * MIB);
    s3.destroy();
  });

  it('takes uploads of the AWS CLI, whole and in parts', async () => {
    for (const size of [1000, 20 * MIB]) {
      const sample = await work.sample('cli.bin', size);
      await run([AWS, 's3', 'cp', sample.path, `s3://${Bucket}/cli.bin`], { env: env() });
      await run([AWS, 's3', 'cp', `s3://${Bucket}/cli.bin`, work.at('cli.back')], { env: env() });
      assert.equal(await sha256Of(work.at('cli.back')), sample.sha256);
    }
  });

  for (const step of steps.filter((name) => /upload|checksum|sums|puts|large/.test(name))) {
    it(`boto3: ${step.replaceAll('_', ' ')}`, async () => {
      await runStep('store.py', step, { env: env() });
    });
  }

  it('is not mistaken for another server, and does not speak plainly on the same port', async () => {
    assert.match(await fails(['curl', '--silent', '--show-error', `${server.url}/healthz`]), /certificate/);
    assert.notEqual((await attempt(['curl', '--silent', `http://${server.host}/healthz`])).code, 0);
  });

  it('goes over to a new certificate without a restart', async () => {
    const next = await makeCertificate(work.folder, 'second');
    await copyFile(next.key, files.key);
    await copyFile(next.certificate, files.certificate);
    const ask = () => attempt(['curl', '--silent', '--show-error', '--verbose', '--cacert', next.certificate, `${server.url}/healthz`]);
    const until = Date.now() + 30_000;
    for (let answer = await ask(); !/subject: CN=second/.test(answer.stderr); answer = await ask()) {
      assert.ok(Date.now() < until, answer.stderr);
      await sleep(500);
    }
    assert.equal((await ask()).code, 0);
  });
});
