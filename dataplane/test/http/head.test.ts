import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { readHead, readQuery } from '../../src/http/head.ts';
import { createClientReader } from '../../src/http/proxies.ts';
import type { RequestHead } from '../../src/protocols/contract.ts';
import { dial, exchangeRaw, stage, strike } from './stage.ts';

/** What the handler saw of one raw request. */
async function headOf(request: string): Promise<{ head: RequestHead; answer: string }> {
  const heads: RequestHead[] = [];
  const act = await stage({ recognise: (head) => void heads.push(head) });
  const answer = await exchangeRaw(act.port, request);
  return { answer, head: heads[0]! };
}

const close = 'Connection: close\r\n\r\n';

describe('request heads', () => {
  afterEach(strike);

  it('keep the target as sent and every header in order', async () => {
    const { head } = await headOf(
      `GET /b/%61?a=1&a=2 HTTP/1.1\r\nHost: H.Example:80\r\nX-A: 1\r\nx-a: 2\r\nCookie: c=1\r\nCookie: d=2\r\n${close}`,
    );
    assert.equal(head.target, '/b/%61?a=1&a=2');
    assert.equal(head.host, 'h.example:80');
    assert.equal(head.headers['x-a'], '1, 2');
    assert.equal(head.headers['cookie'], 'c=1; d=2');
    assert.deepEqual(
      head.rawHeaders.map(([name]) => name),
      ['host', 'x-a', 'x-a', 'cookie', 'cookie', 'connection'],
    );
    assert.equal(head.remoteAddress, '127.0.0.1');
    assert.equal(head.secure, false);
  });

  it('take the absolute form', async () => {
    const { head } = await headOf(`GET http://h.example/b/k?x HTTP/1.1\r\nHost: h.example\r\n${close}`);
    assert.equal(head.target, '/b/k?x');
    assert.equal(head.host, 'h.example');
    const bare = await headOf(`GET http://h.example HTTP/1.1\r\nHost: h.example\r\n${close}`);
    assert.equal(bare.head.target, '/');
  });

  it('take HTTP/1.0 without a host', async () => {
    const { head, answer } = await headOf('GET / HTTP/1.0\r\n\r\n');
    assert.equal(head.host, '');
    assert.match(answer, /200/);
  });

  it('keep more headers than Node counts by default', async () => {
    const many = Array.from({ length: 2100 }, (_, n) => `a:${n % 10}\r\n`).join('');
    const { head } = await headOf(`GET / HTTP/1.1\r\nHost: h\r\n${many}${close}`);
    assert.equal(head.rawHeaders.filter(([name]) => name === 'a').length, 2100);
  });

  const shapes: readonly (readonly [string, string, RegExp])[] = [
    ['two Host headers', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, /400[\s\S]*header host once/],
    ['no Host header', `GET / HTTP/1.1\r\n\r\n`, /400[\s\S]*Send a Host header/],
    ['a Host that is none', `GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n`, /400[\s\S]*not a host name/],
    ['a Host beside another in the target', `GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n`, /400[\s\S]*different hosts/],
    ['two lengths', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, /^HTTP\/1\.1 400/],
    ['two equal lengths', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx`, /^HTTP\/1\.1 400/],
    ['a signed length', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx`, /^HTTP\/1\.1 400/],
    ['a length list', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx`, /^HTTP\/1\.1 400/],
    ['an absurd length', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999\r\n\r\nx`, /^HTTP\/1\.1 400/],
    [
      'length and transfer coding',
      `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    [
      'transfer coding and length',
      `PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    [
      'chunked twice',
      `PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    ['another coding', `PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 501/],
    ['chunked not last', `PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 (400|501)/],
    ['an obscured coding', `PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 (400|501)/],
    ['a coding in HTTP/1.0', `PUT / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a space before the colon', `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\nx`, /^HTTP\/1\.1 400/],
    ['a folded header', `GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a bare line feed', `GET / HTTP/1.1\nHost: h\n\n`, /^HTTP\/1\.1 400/],
    ['a null in a header', `GET / HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['two Authorizations', `GET / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n`, /400[\s\S]*authorization once/],
    ['a fragment', `GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n`, /400[\s\S]*MalformedUri/],
    ['bytes in the target that are not ASCII', `GET /b/\xc3\xbc HTTP/1.1\r\nHost: h\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a target without a slash', `GET a/b HTTP/1.1\r\nHost: h\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['a bad escape in the query', `GET /?a=%C3 HTTP/1.1\r\nHost: h\r\n\r\n`, /400[\s\S]*MalformedUri/],
    ['HTTP/2 with prior knowledge', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, /^HTTP\/1\.1 400/],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400/],
    ['a head too large', `GET / HTTP/1.1\r\nHost: h\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
    ['a target too large', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: h\r\n\r\n`, /^HTTP\/1\.1 431/],
  ];
  for (const [shape, request, refusal] of shapes) {
    it(`refuse ${shape}, and close the connection`, async () => {
      const act = await stage({});
      const line = await dial(act.port);
      line.write(Buffer.from(request, 'latin1'));
      assert.match(await line.closed(), refusal);
      assert.deepEqual(act.steps, []);
    });
  }

  it('take a bad escape in the path to the protocol, which alone knows what paths mean', async () => {
    const { head } = await headOf(`GET /b/%zz HTTP/1.1\r\nHost: h\r\n${close}`);
    assert.equal(head.rawPath, '/b/%zz');
  });
});

describe('clients behind proxies', () => {
  const peer = { address: '::ffff:10.0.0.9', encrypted: false };
  const reader = createClientReader(['10.0.0.0/8', '2001:db8::1']);

  it('are taken from the header when the peer is trusted', () => {
    assert.deepEqual(reader(peer, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }), {
      remoteAddress: '203.0.113.7',
      secure: true,
    });
  });

  it('are the last that no trusted proxy names, not the first that the client claims', () => {
    assert.equal(reader(peer, { 'x-forwarded-for': '1.1.1.1, 203.0.113.7, 10.1.1.1' }).remoteAddress, '203.0.113.7');
    assert.equal(reader(peer, { 'x-forwarded-for': 'junk, 10.1.1.1' }).remoteAddress, '10.1.1.1');
    assert.equal(reader(peer, { 'x-forwarded-for': '203.0.113.7:4711, [2001:db8::1]:80' }).remoteAddress, '203.0.113.7');
  });

  it('are the peer itself when it is not trusted', () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
    assert.deepEqual(reader({ address: '192.0.2.1', encrypted: false }, headers), { remoteAddress: '192.0.2.1', secure: false });
    assert.deepEqual(createClientReader([])(peer, headers), { remoteAddress: '10.0.0.9', secure: false });
  });

  it('need ranges that are ranges', () => {
    assert.throws(() => createClientReader(['10.0.0.0/33']));
    assert.throws(() => createClientReader(['example.com']));
  });

  it('never come from what cannot be an address', () => {
    fc.assert(
      fc.property(fc.string(), (forwarded) => {
        const { remoteAddress } = reader(peer, { 'x-forwarded-for': forwarded });
        assert.match(remoteAddress, /^[0-9a-f.:]+$/);
      }),
    );
  });
});

describe('readHead', () => {
  const reader = createClientReader([]);
  const message = (url: string, rawHeaders: string[]) =>
    ({ url, rawHeaders, httpVersion: '1.1', method: 'GET', socket: { remoteAddress: '127.0.0.1' } }) as unknown as IncomingMessage;

  it('never throws, whatever the target and headers are', () => {
    const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(latin1, fc.array(latin1), (url, headers) => {
        const { head, fault } = readHead(message(url, headers), reader);
        assert.ok(fault !== undefined || /^[\x21-\x7e]*$/.test(head.target));
      }),
    );
  });

  it('decodes queries once, in order', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (pairs) => {
        const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
        assert.deepEqual(readQuery(`/?${query}`), pairs);
      }),
    );
  });

  it('does not take a name for one of an object’s own', () => {
    const { head } = readHead(message('/', ['Host', 'h', '__proto__', 'x', 'constructor', 'y']), reader);
    assert.equal(head.headers['__proto__'], 'x');
    assert.equal(Object.keys(head.headers).length, 3);
  });
});
