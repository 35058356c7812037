import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type Server } from '../../src/server.ts';
import { BACKENDS, startBackend, type Backend } from '../backend.ts';
import { startProxy, type Proxy } from '../proxy.ts';
import { storageIn } from '../storage.ts';

const WORKERS = 3;

for (const name of BACKENDS) {
  describe(`a server of several processes on ${name}`, function () {
    this.timeout(120_000);
    let folder: string;
    let backend: Backend;
    let proxy: Proxy;
    let probed: string[];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'several-'));
      backend = await startBackend(name);
      proxy = await startProxy(backend.endpoint, {
        onRequest({ method, url = '' }) {
          if (method === 'PUT' && url.includes('/probe/') && !url.includes('/probe/ready-')) probed.push(url);
        },
      });
    });
    beforeEach(() => void (probed = []));
    after(async () => {
      await proxy.close();
      await backend.stop();
      await rm(folder, { recursive: true });
    });

    const environment = async (): Promise<Record<string, string>> => ({
      ...(await storageIn(folder, { ...backend, endpoint: proxy.endpoint }, { bucket: await backend.newBucket() })),
      BONDED_WORKERS: String(WORKERS),
    });
    /** Each probe writes under a name of its own. */
    const probes = (): number => new Set(probed.map((url) => /\/probe\/([\w-]+)\//.exec(url)?.[1])).size;

    it('proves the storage once, whatever the number of processes, and again at the next start', async () => {
      const server = await startServer({ env: await environment() });
      await untilReady(server);
      assert.equal(probes(), 1);
      await server.terminate();
      await server.start();
      await server.stop();
      assert.equal(probes(), 2);
    });

    it('proves another place before a process that starts later uses it', async () => {
      const env = await environment();
      const server = await startServer({ env });
      await untilReady(server);
      const file = env.BONDED_STORAGE ?? '';
      const location = JSON.parse(await readFile(file, 'utf8')) as { s3: object };
      await writeFile(file, JSON.stringify({ s3: { ...location.s3, prefix: 'elsewhere/' } }));
      process.kill(await aWorker(server.pid), 'SIGKILL');
      for (let tries = 0; tries < 100 && probes() < 2; tries += 1) await sleep(100);
      assert.equal(probes(), 2);
      await server.stop();
    });

    it('does not start, and starts no process, when the storage is refused', async () => {
      const env = await environment();
      proxy.plan(['error403'], ({ url = '' }) => url.includes('/probe/'));
      await assert.rejects(startServer({ env }), ({ message }: Error) => {
        assert.match(message, /Bonded could not start: Storage location 'default' cannot be used: its credentials do not permit this/);
        assert.doesNotMatch(message, /"worker"/);
        return true;
      });
    });
  });
}

/** All workers serve. */
async function untilReady(server: Server): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await server.log()).includes('"listening"')) break;
    await sleep(100);
  }
  await sleep(3_000);
}

async function aWorker(primary: number): Promise<number> {
  const children = await readFile(`/proc/${primary}/task/${primary}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}
