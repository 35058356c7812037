import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { openS3Store, type S3Store } from '../../../src/storage/s3/store.ts';
import { ONE } from '../../http/certificates.ts';
import { lending, newId, patterned, read, sameBytes } from '../conformance/bodies.ts';
import { startBonded, type BondedBackend } from './bonded.ts';

const MIB = 1024 * 1024;

describe('s3 driver: over HTTPS', function () {
  this.timeout(30_000);
  const authorities = getCACertificates('default');
  const hashes: string[] = [];
  let backend: BondedBackend;
  let front: Server;
  let store: S3Store;

  before(async () => {
    setDefaultCACertificates([...authorities, ONE.certificate]);
    backend = await startBonded();
    front = createServer({ cert: ONE.certificate, key: ONE.key }, (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      if (method === 'PUT') hashes.push(String(headers['x-amz-content-sha256']));
      const onward = request(`${backend.endpoint}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    await once(front.listen(0, 'localhost'), 'listening');
    const endpoint = `https://localhost:${(front.address() as AddressInfo).port}`;
    store = await openS3Store({ ...(await backend.newPlace()), endpoint });
  });
  after(async () => {
    await store.close();
    front.closeAllConnections();
    front.close();
    await backend.close();
    setDefaultCACertificates(authorities);
  });

  it('stores large bodies unhashed, since the connection covers them, and reads them back', async () => {
    const bytes = patterned(12 * MIB + 5, 3);
    const id = newId();
    hashes.length = 0;
    await store.blobs.put(id, lending(bytes, 100_000));
    assert.deepEqual(new Set(hashes), new Set(['UNSIGNED-PAYLOAD']));
    sameBytes(await read(store.blobs.get(id)), bytes);
  });

  it('signs what records say', async () => {
    hashes.length = 0;
    await store.records.write([{ put: 'k', value: 1 }]);
    assert.match(hashes.join(), /^[0-9a-f]{64}$/);
  });
});
