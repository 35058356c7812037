import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Writable } from 'node:stream';
import { loadTls, type ReloadingTls } from '../../src/http/tls.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { ONE, TWO, type TestPair } from './certificates.ts';
import { dial, pause, stage, strike, until } from './stage.ts';

const TIMING = { settleMs: 30, pollMs: 60_000 };

describe('TLS', () => {
  let folder: string;
  let lines: string[];
  let tls: ReloadingTls | undefined;
  const log = () =>
    createLog({ level: 'info', destination: new Writable({ write: (chunk: Buffer, _e, done) => (lines.push(chunk.toString()), done()) }) });
  const files = () => ({ certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tls-'));
    lines = [];
  });
  afterEach(async () => {
    tls?.close();
    await strike();
    await rm(folder, { recursive: true });
  });

  async function put(pair: TestPair): Promise<void> {
    await writeFile(files().certificate, pair.certificate);
    await writeFile(files().key, pair.key);
  }

  async function begin(): Promise<number> {
    tls = await loadTls(files(), log(), TIMING);
    return (await stage({ handle: async (call) => ({ status: 200, body: `secure ${call.head.secure}` }) }, { tls })).port;
  }

  it('serves HTTPS, and requests know it', async () => {
    await put(ONE);
    const port = await begin();
    const body = await new Promise<string>((resolve, reject) => {
      get({ port, ca: ONE.certificate }, (response) => response.on('data', (chunk: Buffer) => resolve(chunk.toString()))).on(
        'error',
        reject,
      );
    });
    assert.equal(body, 'secure true');
  });

  it('gives the next connection a renewed certificate, and leaves open ones alone', async () => {
    await put(ONE);
    const port = await begin();
    const before = await handshake(port);
    assert.equal(subject(before), 'one.example');
    await put(TWO);
    await until(() => lines.some((line) => line.includes('TLS certificate reloaded')));
    assert.equal(subject(await handshake(port)), 'two.example');
    before.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.match(await firstData(before), /200 OK/);
  });

  it('sees files that are replaced, and links that are swapped', async () => {
    await writeFile(join(folder, '1.crt'), ONE.certificate);
    await writeFile(join(folder, '1.key'), ONE.key);
    await writeFile(join(folder, '2.crt'), TWO.certificate);
    await writeFile(join(folder, '2.key'), TWO.key);
    await symlink('1.crt', files().certificate);
    await symlink('1.key', files().key);
    const port = await begin();
    assert.equal(subject(await handshake(port)), 'one.example');
    for (const end of ['crt', 'key']) {
      await symlink(`2.${end}`, join(folder, `next.${end}`));
      await rename(join(folder, `next.${end}`), join(folder, `tls.${end}`));
    }
    await until(() => lines.some((line) => line.includes('TLS certificate reloaded')));
    assert.equal(subject(await handshake(port)), 'two.example');
  });

  it('keeps the last good certificate when the new files cannot be used', async () => {
    await put(ONE);
    const port = await begin();
    await writeFile(files().certificate, TWO.certificate);
    await until(() => lines.some((line) => line.includes('last good certificate')));
    assert.equal(subject(await handshake(port)), 'one.example');
    assert.ok(!lines.join('').includes('PRIVATE KEY'));
  });

  it('does not start on files that cannot be used', async () => {
    await put({ certificate: ONE.certificate, key: TWO.key });
    await assert.rejects(begin());
    await rm(files().key);
    await assert.rejects(begin(), /ENOENT/);
  });

  it('refuses what is older than TLS 1.2, and plain HTTP, and goes on', async () => {
    await put(ONE);
    const port = await begin();
    await assert.rejects(handshake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }));
    assert.equal(tls?.options().minVersion, 'TLSv1.2');
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    assert.equal(subject(await handshake(port)), 'one.example');
  });

  it('waits no longer for a handshake than for the headers of a request', async () => {
    await put(ONE);
    tls = await loadTls(files(), log(), TIMING);
    const act = await stage({}, { tls, limits: { headersMs: 200 } });
    for (const sent of ['', '\x16\x03\x01\x02\0\x01']) {
      const line = await dial(act.port);
      line.write(sent);
      await line.closed();
    }
  });

  it('closes idle connections at a stop', async () => {
    await put(ONE);
    tls = await loadTls(files(), log(), TIMING);
    const act = await stage({}, { tls });
    const socket = await handshake(act.port);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await firstData(socket);
    await pause(20);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    assert.equal(await act.server.close(2000), true);
    await closed;
  });
});

function handshake(port: number, options: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on('error', reject);
  });
}

function firstData(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
}

function subject(socket: TLSSocket): string | undefined {
  const name = socket.getPeerCertificate().subject.CN;
  return Array.isArray(name) ? name[0] : name;
}
