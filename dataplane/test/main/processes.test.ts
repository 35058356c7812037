import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { environmentIn, newDirectory, ownerOf, raze, rootKey } from './rig.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly metricsUrl: string;
  readonly directory: string;
  output(): string;
  errors(): string;
  ask(path: string, init?: RequestInit): Promise<Response>;
  ended(): Promise<number | null>;
}

const children: ChildProcess[] = [];

async function run(environment: Record<string, string>, directory?: string): Promise<Running> {
  const home = directory ?? (await newDirectory());
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], ...environmentIn(home), ...environment },
    stdio: 'pipe',
  });
  children.push(child);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = once(child, 'exit') as Promise<[number | null]>;
  await waitFor(() => errors.includes('s3 ls') || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${errors}`);
  const url = /S3 at (\S+)/.exec(errors)![1]!;
  return {
    child,
    url,
    metricsUrl: /metrics at ([^,\s]+)/.exec(errors)![1]!,
    directory: home,
    output: () => output,
    errors: () => errors,
    ask: async (path, init = {}) =>
      fetch(url + path, { ...init, headers: { authorization: await ownerOf(home), connection: 'close', ...init.headers } }),
    ended: async () => (await exit)[0],
  };
}

async function waitFor(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it never came true');
}

/** A PUT whose body stops half-way, until `finish` is called. */
async function slowPut({ url, directory }: Running, path: string): Promise<{ finish(): Promise<string> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: h\r\nAuthorization: ${await ownerOf(directory)}\r\nContent-Length: 10\r\n\r\nhello`);
  const closed = once(socket, 'close');
  socket.on('error', () => {});
  return {
    async finish() {
      socket.write('world');
      await closed;
      return text;
    },
  };
}

describe('processes', function () {
  this.timeout(30_000);
  this.slow(5000);
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    await raze();
  });

  for (const workers of ['1', '2']) {
    it(`serve, measure, finish transfers and end well (${workers})`, async () => {
      const bonded = await run({ BONDED_WORKERS: workers });
      assert.equal((await bonded.ask('/builds', { method: 'PUT' })).status, 200);
      for (let n = 0; n < 8; n++) assert.equal((await bonded.ask(`/builds/${n}`, { method: 'PUT', body: `${n}` })).status, 200);
      for (let n = 0; n < 8; n++) assert.equal(await (await bonded.ask(`/builds/${n}`)).text(), `${n}`);
      const metrics = await (await fetch(bonded.metricsUrl)).text();
      assert.match(metrics, /bonded_http_requests_total\{operation="s3\.PutObject",status="2xx"\} 8/);
      assert.match(metrics, /nodejs_eventloop_lag_p99_seconds/);
      if (workers === '2') assert.match(metrics, /bonded_workers 2/);
      assert.equal((await fetch(new URL('/', bonded.metricsUrl))).status, 404);

      const put = await slowPut(bonded, '/builds/slow');
      await waitFor(async () => /uploads_in_flight 1/.test(await (await fetch(bonded.metricsUrl)).text()));
      bonded.child.kill('SIGTERM');
      await waitFor(() =>
        fetch(`${bonded.url}/healthz`, { signal: AbortSignal.timeout(500) }).then(
          () => false,
          () => true,
        ),
      );
      assert.match(await put.finish(), /^HTTP\/1\.1 200[\s\S]*Connection: close/);
      assert.equal(await bonded.ended(), 0);
      const again = await run({ BONDED_WORKERS: workers }, bonded.directory);
      assert.equal(await (await again.ask('/builds/slow')).text(), 'helloworld');
      const { secret } = await rootKey(bonded.directory);
      for (const text of [bonded.output(), bonded.errors(), again.output(), again.errors()]) assert.ok(!text.includes(secret));
    });

    it(`begin with small heaps, under the number that was started (${workers})`, async () => {
      const bonded = await run({ BONDED_WORKERS: workers });
      const all = [bonded.child.pid!, ...(await workersOf(bonded.child.pid!))];
      assert.equal(all.length, workers === '1' ? 1 : 1 + Number(workers));
      for (const pid of all) {
        assert.match(await readFile(`/proc/${pid}/cmdline`, 'utf8'), /\0--max-semi-space-size=4\0/);
        const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
        assert.ok(environment.includes('MALLOC_ARENA_MAX=1'));
        assert.ok(environment.some((variable) => variable.startsWith(`NODE_COMPILE_CACHE=${bonded.directory}`)));
      }
      assert.doesNotMatch(bonded.errors(), /Warning/);
    });

    it(`end at once at a second signal (${workers})`, async () => {
      const bonded = await run({ BONDED_WORKERS: workers });
      await bonded.ask('/builds', { method: 'PUT' });
      await slowPut(bonded, '/builds/slow');
      await waitFor(async () => /uploads_in_flight 1/.test(await (await fetch(bonded.metricsUrl)).text()));
      bonded.child.kill('SIGINT');
      await waitFor(() => bonded.output().includes('"stopping"'));
      bonded.child.kill('SIGINT');
      assert.equal(await bonded.ended(), 1);
    });

    it(`say why they cannot start (${workers})`, async () => {
      const blocked = await run({ BONDED_WORKERS: workers });
      const listen = new URL(blocked.url).host;
      await assert.rejects(run({ BONDED_WORKERS: workers, BONDED_LISTEN: listen }), /ended with 1: Bonded could not start: .*EADDRINUSE/);
      await assert.rejects(run({ BONDED_WORKERS: workers, BONDED_LISTNE: 'x' }), /BONDED_LISTNE/);
    });
  }

  it('stop as well while some of them are still starting', async () => {
    const bonded = await run({ BONDED_WORKERS: '4' });
    bonded.child.kill('SIGTERM');
    assert.equal(await bonded.ended(), 0);
  });

  it('are replaced when they die, and nothing is lost', async () => {
    const bonded = await run({ BONDED_WORKERS: '2' });
    await bonded.ask('/builds', { method: 'PUT' });
    await bonded.ask('/builds/n', { method: 'PUT', body: 'kept' });
    // With both of them serving: the other one goes on alone.
    await waitFor(async () => /bonded_workers 2/.test(await (await fetch(bonded.metricsUrl)).text()));
    const [worker] = await workersOf(bonded.child.pid!);
    process.kill(worker!, 'SIGKILL');
    await waitFor(async () => /bonded_worker_restarts_total 1[\s\S]*/.test(await (await fetch(bonded.metricsUrl)).text()));
    await waitFor(async () => /bonded_workers 2/.test(await (await fetch(bonded.metricsUrl)).text()));
    for (let n = 0; n < 6; n++) assert.equal(await (await bonded.ask('/builds/n')).text(), 'kept');
    assert.match(bonded.output(), /a worker ended/);
  });

  it('do not outlive a primary that is killed', async () => {
    const bonded = await run({ BONDED_WORKERS: '2' });
    const workers = await workersOf(bonded.child.pid!);
    assert.equal(workers.length, 2);
    bonded.child.kill('SIGKILL');
    await waitFor(() => workers.every((pid) => !isAlive(pid)));
  });
});

async function workersOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
