/** Memory at rest, and its peak while 4 GiB come in. */
import { truncate, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeWorkspace } from '../e2e/src/files.ts';
import { attempt } from '../e2e/src/shell.ts';
import { median, type Figure } from './figures.ts';
import { BUCKET, startBonded } from './house.ts';
import { startNginx } from './nginx.ts';
import { family, memoryOf } from '../e2e/src/processes.ts';

const SIZE = 4 * 1024 ** 3;
const SAMPLE_EVERY_MS = 200;
const SETTLE_MS = 3000;
const UPLOAD_WITHIN_MS = 300_000;

export async function measureMemory(): Promise<Figure[]> {
  const work = await makeWorkspace();
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  try {
    await sleep(SETTLE_MS);
    const rest = memoryOf(bonded.pid);
    const nginxRest = memoryOf(nginx.pid);
    await writeFile(work.at('large'), '');
    await truncate(work.at('large'), SIZE);
    const samples: number[] = [];
    const upload = attempt(
      ['curl', '--silent', '--fail', '--header', 'Expect:', '--upload-file', work.at('large'), `${bonded.url}/${BUCKET}/large`],
      {
        timeoutMs: UPLOAD_WITHIN_MS,
      },
    );
    const state = { done: false };
    const ended = upload.finally(() => {
      state.done = true;
    });
    while (!state.done) {
      samples.push(memoryOf(bonded.pid));
      await sleep(SAMPLE_EVERY_MS);
    }
    const { code, stdout } = await ended;
    if (code !== 0) throw new Error(`The upload ended with ${code}: ${stdout}`);
    const peak = Math.max(...samples);
    const nginxPeer = { name: 'nginx at rest', value: nginxRest };
    return [
      {
        section: 'memory',
        name: 'at rest',
        value: rest,
        unit: 'MiB',
        runs: [rest],
        peers: [nginxPeer],
        note: `${family(bonded.pid).length} processes`,
      },
      {
        section: 'memory',
        name: 'peak during a 4 GiB upload',
        value: peak,
        unit: 'MiB',
        runs: samples.slice(0, -1),
        peers: [{ name: 'at rest', value: rest }],
        note: `median ${Math.round(median(samples))} MiB`,
      },
    ];
  } finally {
    await Promise.all([bonded.stop(), nginx.stop(), work.remove()]);
  }
}
