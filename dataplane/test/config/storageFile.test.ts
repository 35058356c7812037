import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStorageFile } from '../../src/config/storageFile.ts';
import { isError } from '../../src/errors.ts';

describe('the file of the storage location', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'storage-file-'));
    file = join(folder, 'storage.yaml');
  });
  after(() => rm(folder, { recursive: true }));

  async function read(text: string) {
    await writeFile(file, text);
    return readStorageFile(file);
  }

  it('names a bucket, and what else is needed to reach it', async () => {
    assert.deepEqual(await read('s3: {bucket: builds}'), { s3: { bucket: 'builds', prefix: '' } });
    const all = {
      bucket: 'builds',
      prefix: 'team/bonded/',
      endpoint: 'https://s3.example',
      region: 'eu-1',
      forcePathStyle: true,
      redirectDownloads: true,
    };
    assert.deepEqual(await read(JSON.stringify({ s3: all })), { s3: all });
  });

  for (const [text, expected] of [
    ['', /it is empty/],
    ['s3: {}', /:1: .*bucket/],
    ['s3:\n  bucket: builds\n  secretAccessKey: x\n', /:3: .*secretAccessKey/],
    ['gcs: {bucket: builds}', /gcs/],
    ['s3: {bucket: builds, prefix: no-slash}', /prefix/],
    ['s3: {bucket: builds, prefix: ../}', /prefix/],
    ['s3: {bucket: builds, endpoint: s3.example}', /s3\.endpoint: must be a URL/],
    ['s3: {bucket: builds, endpoint: "ftp://s3.example"}', /https:\/\/ or http:\/\//],
    ['s3: {bucket: builds, endpoint: "https://me:secret@s3.example"}', /must have no user/],
    ['s3: {bucket: builds}\n---\ns3: {bucket: other}', /one location only/],
    ['s3: [', /storage\.yaml:1/],
  ] as const) {
    it(`is refused: ${JSON.stringify(text)}`, async () => {
      await assert.rejects(
        read(text),
        (error) => isError(error, 'InvalidArgument') && expected.test(error.message) && !/secret@|: x/.test(error.message),
      );
    });
  }

  it('is refused when it cannot be read', async () => {
    await assert.rejects(readStorageFile(join(folder, 'none')), /cannot be read \(ENOENT\)/);
  });
});
