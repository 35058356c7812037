/**
 * The examples that AWS publishes with their signatures:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-query-string-auth.html,
 * sigv4-streaming.html, sigv4-streaming-trailers.html, sigv4-post-example.html
 */
import assert from 'node:assert/strict';
import { createAuthenticator } from '../../src/authn/authenticate.ts';
import { openPayload } from '../../src/authn/payload.ts';
import { presign } from '../../src/authn/presign.ts';
import { ephemeralSigningKey } from '../../src/authn/signingKey.ts';
import type { Payload } from '../../src/protocols/contract.ts';
import { collect, EMPTY_SHA256, EXAMPLE_KEY, EXAMPLE_TIME, head, lookup, refused, wire, type Headers } from './requests.ts';

const authn = createAuthenticator({ issuers: [], sessionKeys: [ephemeralSigningKey()], clock: () => EXAMPLE_TIME });
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
const HOST = 'examplebucket.s3.amazonaws.com';

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`;
}

interface Vector {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
}

const VECTORS: readonly Vector[] = [
  {
    name: 'GET object, with Range',
    method: 'GET',
    target: '/test.txt',
    headers: {
      Host: HOST,
      Range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY_SHA256,
      'x-amz-date': '20130524T000000Z',
      Authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    },
  },
  {
    name: 'PUT object, whose key needs encoding',
    method: 'PUT',
    target: '/test$file.text',
    headers: {
      Host: HOST,
      Date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      Authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    },
  },
  {
    name: 'GET bucket lifecycle, a parameter without value',
    method: 'GET',
    target: '/?lifecycle',
    headers: {
      Host: HOST,
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': EMPTY_SHA256,
      Authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    },
  },
  {
    name: 'GET bucket (list objects)',
    method: 'GET',
    target: '/?max-keys=2&prefix=J',
    headers: {
      Host: HOST,
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': EMPTY_SHA256,
      Authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    },
  },
  {
    name: 'presigned GET',
    method: 'GET',
    target:
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    headers: { Host: HOST },
  },
];

const STREAM = {
  Host: 's3.amazonaws.com',
  'x-amz-date': '20130524T000000Z',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  'Content-Encoding': 'aws-chunked',
  'x-amz-decoded-content-length': '66560',
  'Content-Length': '66824',
};
const SIGNED_STREAM =
  'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class';
const SIGNED_TRAILER =
  'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer';

const CHUNKED = head('PUT', '/examplebucket/chunkObject.txt', {
  ...STREAM,
  'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  Authorization: authorization(SIGNED_STREAM, '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'),
});
const CHUNKED_BODY = Buffer.from(
  [
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65536)}\r\n`,
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1024)}\r\n`,
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
  ].join(''),
);

const TRAILED = head('PUT', '/examplebucket/chunkObject.txt', {
  ...STREAM,
  'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'x-amz-trailer': 'x-amz-checksum-crc32c',
  Authorization: authorization(SIGNED_TRAILER, '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'),
});
const TRAILED_BODY = [
  `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${'a'.repeat(65536)}\r\n`,
  `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
  'x-amz-checksum-crc32c:sOO8/Q==\r\n',
  'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
].join('');

describe('the examples that AWS publishes', () => {
  for (const { name, method, target, headers } of VECTORS) {
    it(`accepts ${name}`, async () => {
      const { principal } = await authn.authenticate(head(method, target, headers), lookup);
      assert.equal(principal.id, 'key:AKIAIOSFODNN7EXAMPLE');
    });

    it(`refuses ${name} with another method`, async () => {
      const error = await refused(() => authn.authenticate(head('DELETE', target, headers), lookup), 'SignatureMismatch');
      assert.match(String(error.details['canonicalRequest']), /^DELETE\n/);
    });
  }

  it('makes the presigned GET just so', () => {
    const request = { method: 'GET', endpoint: `https://${HOST}`, bucket: 'test.txt', expiresSeconds: 86_400 };
    const url = presign(request, EXAMPLE_KEY, EXAMPLE_TIME);
    assert.match(url, /&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/);
    assert.equal(url, `https://${HOST}${VECTORS[4]?.target ?? ''}`);
  });

  it('decodes the upload in signed chunks, and holds its length', async () => {
    const payload: Payload = openPayload(CHUNKED, wire(CHUNKED_BODY), await authn.authenticate(CHUNKED, lookup));
    assert.equal(CHUNKED_BODY.length, 66_824);
    assert.equal(payload.length, 66_560);
    assert.equal((await collect(payload.bytes)).equals(Buffer.alloc(66_560, 'a')), true);
  });

  it('refuses that upload when one byte of a chunk differs', async () => {
    const body = Buffer.from(CHUNKED_BODY);
    body[70_000 - 4000] = 0x62;
    const payload = openPayload(CHUNKED, wire(body), await authn.authenticate(CHUNKED, lookup));
    await refused(() => collect(payload.bytes), 'SignatureMismatch');
  });

  for (const [name, end] of [
    ['with the blank line that clients send', '\r\n'],
    ['just as printed', ''],
  ] as const) {
    it(`decodes the upload with a signed trailer, ${name}`, async () => {
      const payload = openPayload(TRAILED, wire(Buffer.from(TRAILED_BODY + end)), await authn.authenticate(TRAILED, lookup));
      assert.equal((await collect(payload.bytes)).length, 66_560);
      assert.deepEqual([...payload.trailers], [['x-amz-checksum-crc32c', 'sOO8/Q==']]);
    });
  }

  it('refuses that upload with another trailer under the same signature', async () => {
    const body = Buffer.from(TRAILED_BODY.replace('sOO8/Q==', 'AAAAAA==') + '\r\n');
    const payload = openPayload(TRAILED, wire(body), await authn.authenticate(TRAILED, lookup));
    await refused(() => collect(payload.bytes), 'SignatureMismatch');
  });
});
