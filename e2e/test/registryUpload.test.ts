/** Blobs of a registry through power cuts: what was acknowledged is never asked for again, and an image that was pushed stays whole. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { MIB } from '../src/files.ts';
import { ask } from '../src/owner.ts';
import { untilReady } from '../src/readiness.ts';
import { startServer, type Server } from '../src/server.ts';

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';

describe('a push to the registry, through power cuts', () => {
  let server: Server;
  before(async () => {
    server = await startServer({ env: { BONDED_WORKERS: '2' } });
    assert.equal((await ask(server, '/wares', { method: 'PUT' })).status, 200);
  });
  after(() => server.stop());

  const cut = async (): Promise<void> => {
    await server.kill();
    await server.start();
    await untilReady(server);
  };

  it('goes on with each chunk where it was, and stays when it was acknowledged', async () => {
    const layer = randomBytes(3 * MIB);
    const begun = await ask(server, '/v2/wares/app/blobs/uploads/', { method: 'POST' });
    assert.equal(begun.status, 202);
    const location = String(begun.headers['location']);
    for (let at = 0; at < layer.length; at += MIB) {
      const chunk = layer.subarray(at, at + MIB);
      const headers = { 'content-range': `${at}-${at + chunk.length - 1}` };
      assert.equal((await ask(server, location, { method: 'PATCH', body: chunk, headers })).status, 202);
      await cut();
      const state = await ask(server, location);
      assert.deepEqual([state.status, state.headers['range']], [204, `0-${at + chunk.length - 1}`]);
    }
    assert.equal((await ask(server, `${location}?digest=${digestOf(layer)}`, { method: 'PUT' })).status, 201);
    await cut();
    assert.equal(
      (await ask(server, `${location}?digest=${digestOf(layer)}`, { method: 'PUT' })).status,
      201,
      'whose answer was lost asks again',
    );

    const config = Buffer.from('{}');
    const stored = await ask(server, `/v2/wares/app/blobs/uploads/?digest=${digestOf(config)}`, { method: 'POST', body: config });
    assert.equal(stored.status, 201);
    const described = (bytes: Uint8Array, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_IMAGE,
        config: described(config, 'application/vnd.oci.image.config.v1+json'),
        layers: [described(layer, 'application/vnd.oci.image.layer.v1.tar')],
      }),
    );
    const headers = { 'content-type': OCI_IMAGE };
    assert.equal((await ask(server, '/v2/wares/app/manifests/1', { method: 'PUT', body: manifest, headers })).status, 201);
    await cut();
    const found = await ask(server, '/v2/wares/app/manifests/1');
    assert.ok(found.body.equals(manifest));
    const pulled = await ask(server, `/v2/wares/app/blobs/${digestOf(layer)}`);
    assert.equal(digestOf(pulled.body), digestOf(layer));
  });
});
