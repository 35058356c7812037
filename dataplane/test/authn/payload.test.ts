import assert from 'node:assert/strict';
import { openPayload } from '../../src/authn/payload.ts';
import { PLAIN_PAYLOAD, signedPayload, unsignedPayload, type ChunkSeed, type PayloadAuth } from '../../src/authn/payloadAuth.ts';
import type { Payload } from '../../src/protocols/contract.ts';
import { collect, EMPTY_SHA256, head, refused, wire, type Headers } from './requests.ts';

const SEED: ChunkSeed = { key: Buffer.alloc(32), amzDate: '', scope: '', signature: '' };
const SIGNED: PayloadAuth = { kind: 'plain', signed: true };
const HELLO = Buffer.from('hello');
const CHUNKS = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';

function open(headers: Headers, body: Uint8Array | string, payload: PayloadAuth = PLAIN_PAYLOAD): Payload {
  return openPayload(head('PUT', '/bucket/key', headers), wire(Buffer.from(body)), { payload });
}

describe('the body of a request', () => {
  it('is what comes, with the length that was declared', async () => {
    const payload = open({ 'content-length': '5' }, HELLO);
    assert.equal(payload.length, 5);
    assert.equal(payload.signedSha256, undefined);
    assert.deepEqual(await collect(payload.bytes), HELLO);
  });

  it('must have the SHA-256 that was signed or asserted', () => {
    const signed = signedPayload(EMPTY_SHA256.toUpperCase(), SEED);
    assert.equal(open({ 'content-length': '0' }, '', signed).signedSha256, EMPTY_SHA256);
    const asserted = unsignedPayload({ 'x-amz-content-sha256': EMPTY_SHA256 });
    assert.equal(open({ 'content-length': '0' }, '', asserted).signedSha256, EMPTY_SHA256);
  });

  it('may be of unknown length without a signature, and not with one', async () => {
    const payload = open({ 'transfer-encoding': 'chunked' }, HELLO);
    assert.equal(payload.length, undefined);
    assert.deepEqual(await collect(payload.bytes), HELLO);
    await refused(() => open({ 'transfer-encoding': 'chunked' }, HELLO, SIGNED), 'LengthRequired');
  });

  it('is empty where no length and no transfer coding is', async () => {
    const payload = open({}, '', SIGNED);
    assert.equal(payload.length, 0);
    assert.equal((await collect(payload.bytes)).length, 0);
  });

  it('is refused when it differs from its declared length', async () => {
    await refused(() => collect(open({ 'content-length': '6' }, HELLO).bytes), 'BodyIncomplete');
    await refused(() => collect(open({ 'content-length': '4' }, HELLO).bytes), 'InvalidRequest', /more bytes/);
    await refused(() => open({ 'content-length': '5, 5' }, HELLO), 'InvalidArgument');
    await refused(() => open({ 'content-length': '-1' }, HELLO), 'InvalidArgument');
  });

  it('is incomplete when the connection breaks off', async () => {
    async function* broken() {
      yield HELLO;
      throw new Error('aborted');
    }
    const payload = openPayload(head('PUT', '/b/k', { 'transfer-encoding': 'chunked' }), broken(), { payload: PLAIN_PAYLOAD });
    await refused(() => collect(payload.bytes), 'BodyIncomplete');
  });

  it('can be read once: a second reading would look like an empty body', async () => {
    const payload = open({ 'content-length': '5' }, HELLO);
    await collect(payload.bytes);
    await refused(() => collect(payload.bytes), 'Internal');
  });

  it('gives its trailers when it has ended', async () => {
    const headers = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'X-Amz-Checksum-Crc32' };
    const payload = open(headers, CHUNKS, { kind: 'chunked', trailers: true });
    assert.equal(payload.length, 5);
    assert.equal(payload.trailers.size, 0);
    assert.deepEqual(await collect(payload.bytes), HELLO);
    assert.deepEqual([...payload.trailers], [['x-amz-checksum-crc32', 'NhCmhg==']]);
  });

  it('must say how long it is decoded', async () => {
    await refused(() => open({ 'content-length': '10' }, CHUNKS, { kind: 'chunked', trailers: true }), 'LengthRequired');
  });

  it('announces only trailers that are looked at, where there can be any', async () => {
    const chunked: PayloadAuth = { kind: 'chunked', trailers: true };
    const length = { 'x-amz-decoded-content-length': '5' };
    for (const name of ['x-amz-meta-a', 'authorization', '', 'x-amz-checksum-crc32,x-amz-checksum-crc32']) {
      await refused(() => open({ ...length, 'x-amz-trailer': name }, CHUNKS, chunked), 'InvalidRequest');
    }
    const error = await refused(() => open({ 'content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' }, HELLO), 'MalformedBody');
    assert.equal(error.details['s3Code'], 'MalformedTrailerError');
  });

  it('may announce a trailer whose value is in the head already, as the SDK for Java does', () => {
    const headers = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-checksum-crc32': 'NhCmhg==' };
    assert.equal(open(headers, '', { kind: 'chunked', trailers: false, seed: SEED }).length, 5);
  });

  describe('of a request without signature', () => {
    it('is aws-chunked when its content encoding or its hash says so', () => {
      const chunked: PayloadAuth = { kind: 'chunked', trailers: true };
      assert.deepEqual(unsignedPayload({ 'content-encoding': 'gzip, AWS-Chunked' }), chunked);
      assert.deepEqual(unsignedPayload({ 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }), chunked);
      assert.deepEqual(unsignedPayload({ 'content-encoding': 'gzip' }), PLAIN_PAYLOAD);
      assert.deepEqual(unsignedPayload({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }), PLAIN_PAYLOAD);
    });

    it('cannot have signed chunks', async () => {
      await refused(() => unsignedPayload({ 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }), 'InvalidRequest');
      await refused(() => unsignedPayload({ 'x-amz-content-sha256': 'nonsense' }), 'InvalidArgument');
    });
  });
});
