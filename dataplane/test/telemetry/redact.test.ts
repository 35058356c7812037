import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Writable } from 'node:stream';
import { createLog } from '../../src/telemetry/log.ts';
import { isSecretName, MASK, safeTarget, safeText, safeValue } from '../../src/telemetry/redact.ts';

/** Long enough to be found by no accident. */
const secret = fc
  .string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'), minLength: 20, maxLength: 40 })
  .map((text) => `S${text}`);

const secretParameter = fc.constantFrom(
  'X-Amz-Signature',
  'X-Amz-Security-Token',
  'x-amz-signature',
  'X%2DAmz%2DSignature',
  'Signature',
  'access_token',
  'id_token',
  'WebIdentityToken',
  'client_secret',
  'code',
  'code_verifier',
  'password',
);

const secretHeader = fc.constantFrom(
  'authorization',
  'Authorization',
  'cookie',
  'Set-Cookie',
  'proxy-authorization',
  'x-amz-security-token',
  'X-Amz-Signature',
  'x-api-key',
  'sessionToken',
  'secretAccessKey',
  'SecretAccessKey',
  'private_key',
  'passphrase',
);

const harmless = fc.constantFrom(
  'versionId=3',
  'list-type=2',
  'prefix=a%2Fb',
  'continuation-token=abc',
  'X-Amz-Date=20260101T000000Z',
  'uploads',
  'X-Amz-Credential=AKIA%2F20260101',
);

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const chunks: string[] = [];
  const destination = new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk.toString()), done()) });
  write(createLog({ level: 'info', destination }));
  return chunks.join('');
}

describe('redaction', () => {
  it('masks secrets in targets, and keeps all else', () => {
    fc.assert(
      fc.property(secretParameter, secret, fc.array(harmless), fc.array(harmless), (name, value, before, after) => {
        const safe = safeTarget(`/bucket/key?${[...before, `${name}=${value}`, ...after].join('&')}`);
        assert.equal(safe, `/bucket/key?${[...before, `${name}=${MASK}`, ...after].join('&')}`);
      }),
    );
  });

  it('masks what cannot be decoded', () => {
    assert.equal(safeTarget('/?%zz=abc'), `/?%zz=${MASK}`);
  });

  it('lets no secret into a log line: under any name, at any depth, in a child, in text or in errors', () => {
    fc.assert(
      fc.property(secretHeader, secretParameter, secret, (header, parameter, value) => {
        const text = logged((log) => {
          const error = Object.assign(new Error(`GET https://idp/x?${parameter}=${value} failed with Authorization: Bearer ${value}`), {
            cause: new Error(`Signature=${value}`),
            [header]: value,
          });
          log.info({ headers: { [header]: value, host: 'h' }, list: [{ deep: { [header]: [value] } }] }, `sent Bearer ${value}`);
          log
            .child({ [header]: value, note: `?${parameter}=${value}` })
            .warn(`AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=${value}`);
          log.error({ err: error }, 'failed');
          log.error(error);
        });
        assert.ok(!text.includes(value), text);
        assert.ok(text.includes('"host":"h"'));
        assert.ok(text.includes('AKIA'));
      }),
    );
  });

  it('masks tokens and keys by their shape', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
    assert.equal(safeText(`got ${token} from it`), `got ${MASK} from it`);
    for (const kind of ['bnds1', 'bndb1', 'bndr1', 'bndf1'])
      assert.equal(safeText(`got ${kind}.0123abcd.c2Vh-bGVk_x from it`), `got ${MASK} from it`);
    assert.ok(!safeText('-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----').includes('abc'));
    assert.ok(!safeText('-----BEGIN EC PRIVATE KEY-----\nabc').includes('abc'));
  });

  it('keeps error codes, types, messages and stacks', () => {
    const line = JSON.parse(logged((log) => log.error({ err: Object.assign(new RangeError('too far'), { code: 'ERR_X' }) }, 'failed'))) as {
      err: { type: string; code: string; message: string; stack: string };
    };
    assert.equal(line.err.type, 'RangeError');
    assert.equal(line.err.code, 'ERR_X');
    assert.equal(line.err.message, 'too far');
    assert.match(line.err.stack, /redact\.test\.ts/);
  });

  it('is bounded, and survives whatever it is given', () => {
    const loop: Record<string, unknown> = { bytes: Buffer.alloc(9), big: 3n, when: new Date(0) };
    loop['self'] = loop;
    assert.ok(JSON.stringify(safeValue(loop)).length < 2000);
    assert.ok(safeTarget(`/${'a'.repeat(100_000)}`).length < 3000);
    fc.assert(fc.property(fc.anything(), (value) => void safeValue(value)));
    fc.assert(fc.property(fc.string(), (text) => void safeTarget(text)));
  });

  it('knows secrets by name', () => {
    for (const name of ['x-amz-security-token', 'AUTHORIZATION', 'aws_secret_access_key', 'idToken']) assert.ok(isSecretName(name), name);
    for (const name of ['continuation-token', 'code', 'host', 'x-amz-date', 'accessKeyId', 'secretName', 'principal'])
      assert.ok(!isSecretName(name), name);
  });
});
