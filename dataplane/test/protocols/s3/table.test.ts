import assert from 'node:assert/strict';
import { actionScope } from '@bonded/crds';
import { isError } from '../../../src/errors.ts';
import { createS3Protocol } from '../../../src/protocols/s3/protocol.ts';
import { recognise } from '../../../src/protocols/s3/recognise.ts';
import { s3Table } from '../../../src/protocols/s3/table.ts';
import { bucket, head, OPTIONS, snapshot } from './fakes.ts';

const options = { ...OPTIONS, domains: ['S3.Test'], verifyForm: () => assert.fail('no form is posted here') };
const rows = s3Table(options);

/** Every request that the API has (method, place, subresource), less those that are told apart by other means. */
const API = `
  DELETE bucket analytics cors encryption intelligent-tiering inventory lifecycle metadataConfiguration metadataTable metrics
    ownershipControls policy publicAccessBlock replication tagging website
  GET bucket abac accelerate acl analytics cors encryption intelligent-tiering inventory lifecycle location logging metadataConfiguration
    metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment session
    tagging uploads versioning versions website
  POST bucket delete metadataConfiguration metadataTable
  PUT bucket abac accelerate acl analytics cors encryption intelligent-tiering inventory lifecycle logging metadataAnnotationTable
    metadataInventoryTable metadataJournalTable metrics notification object-lock ownershipControls policy publicAccessBlock replication
    requestPayment tagging versioning website
  DELETE object annotation tagging uploadId
  GET object acl annotation attributes legal-hold retention tagging torrent uploadId
  POST object restore select uploads uploadId
  PUT object acl annotation encryption legal-hold renameObject retention tagging`;

function* requests(): Generator<readonly [method: string, path: string, subresource: string]> {
  let [method, path] = ['', ''];
  for (const word of API.trim().split(/\s+/)) {
    if (/^[A-Z]+$/.test(word)) method = word;
    else if (word === 'bucket' || word === 'object') path = word === 'bucket' ? '/builds' : '/builds/key';
    else yield [method, path, word];
  }
}

describe('The whole S3 table', () => {
  for (const [method, path, subresource] of requests()) {
    it(`has ${method} ${path}?${subresource}, or says that it has not`, () => {
      try {
        const { operation } = recognise(head(method, `${path}?${subresource}`), { rows, domains: [] });
        assert.equal(rows.find((row) => row.operation === operation)?.subresource, subresource);
      } catch (error) {
        assert.ok(isError(error, 'NotImplemented'), String(error));
      }
    });
  }

  it('has the operations that clients live on', () => {
    const names = new Set(rows.map(({ operation }) => operation.name.slice('s3.'.length)));
    const needed = `ListBuckets CreateBucket HeadBucket DeleteBucket ListObjects ListObjectsV2 ListObjectVersions GetObject HeadObject PutObject
      CopyObject DeleteObject DeleteObjects GetObjectAttributes GetObjectTagging PutObjectTagging DeleteObjectTagging GetObjectAcl PutObjectAcl
      CreateMultipartUpload UploadPart UploadPartCopy ListParts ListMultipartUploads CompleteMultipartUpload AbortMultipartUpload PostObject`;
    assert.deepEqual(
      needed.split(/\s+/).filter((name) => !names.has(name)),
      [],
    );
  });

  it('names only actions that policies know, each about what the row is about', () => {
    for (const { operation, scope, method } of rows) {
      const params = scope === 'object' ? { bucket: 'builds', key: 'k' } : { bucket: 'builds' };
      for (const { s3Action, resource } of operation.demands(head(method, '/builds/k'), params)) {
        assert.equal(actionScope(s3Action), scope, `${operation.name} ${s3Action}`);
        assert.equal(resource.bucket, 'builds');
      }
    }
  });

  it('has no two rows for the same request', () => {
    const shapes = rows.map(({ scope, method, subresource, query, header, form }) =>
      JSON.stringify([scope, method, subresource, query, header, form]),
    );
    assert.equal(new Set(shapes).size, shapes.length);
  });
});

describe('The S3 protocol', () => {
  const protocol = createS3Protocol(options);

  it('finds buckets by path and by host', () => {
    assert.deepEqual(protocol.recognise(head('GET', '/builds/a')).params, { bucket: 'builds', key: 'a' });
    assert.deepEqual(protocol.recognise(head('GET', '/a', { host: 'builds.s3.test:8080' })).params, { bucket: 'builds', key: 'a' });
  });

  it('renders the errors of requests that it could not even read', () => {
    const bad = head('GET', '/builds/%zz');
    try {
      protocol.recognise(bad);
      assert.fail('it was recognised');
    } catch (error) {
      assert.ok(isError(error, 'MalformedUri'));
      const { status, body } = protocol.renderError(error, { head: bad });
      assert.equal(status, 400);
      assert.match(body as string, /<Code>InvalidURI<\/Code>.*<RequestId>REQUEST-1<\/RequestId>/);
    }
    assert.deepEqual(protocol.decorate!(bad, snapshot()), {});
  });

  it('decorates answers for pages of allowed origins', () => {
    const cors = [{ allowedOrigins: ['https://ui.example'], allowedMethods: ['GET'] }];
    const world = snapshot(bucket('builds', { cors }));
    const request = { headers: { origin: 'https://ui.example' } };
    for (const each of [head('GET', '/builds/a', request), head('GET', '/a', { ...request, host: 'builds.s3.test' })]) {
      assert.equal(protocol.decorate!(each, world)['access-control-allow-origin'], 'https://ui.example');
    }
  });
});
