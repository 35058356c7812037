/** One GiB down and up, beside nginx with the same client, the disk, and the processor's hashing. */
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkspace } from '../e2e/src/files.ts';
import { attempt, run } from '../e2e/src/shell.ts';
import { median, type Figure } from './figures.ts';
import { BUCKET, startBonded } from './house.ts';
import { startNginx } from './nginx.ts';

const GIB = 1024 ** 3;
const ROUNDS = 5;
const MB = 1e6;
const env = { PATH: process.env.PATH ?? '' };

/** Megabytes per second of a transfer that curl reports as whole. */
async function curl(...args: string[]): Promise<number> {
  const format = '%{time_total} %{size_download} %{size_upload}';
  const said = await run(
    ['curl', '--silent', '--show-error', '--fail', '--output', '/dev/null', '--header', 'Expect:', '--write-out', format, ...args],
    { env },
  );
  const [seconds = NaN, down = 0, up = 0] = said.split(' ').map(Number);
  if (Math.max(down, up) !== GIB) throw new Error(`curl moved ${down} bytes down and ${up} up instead of ${GIB}.`);
  return GIB / MB / seconds;
}

/** What the disk takes when asked to be sure of it. */
async function diskWrite(source: string, target: string): Promise<number> {
  const { stderr } = await attempt(['dd', `if=${source}`, `of=${target}`, 'bs=1M', 'conv=fdatasync'], { env: { ...env, LC_ALL: 'C' } });
  await rm(target);
  const seconds = /, ([\d.]+) s, /.exec(stderr)?.[1];
  return GIB / MB / Number(seconds);
}

/** Megabytes per second that OpenSSL hashes on one core. */
async function hashing(algorithm: string): Promise<number> {
  const said = await run(['openssl', 'speed', '-mr', '-seconds', '1', '-bytes', '1048576', '-evp', algorithm], { env });
  return Number(/^\+F:.*:([\d.]+)$/m.exec(said)?.[1]) / MB;
}

export async function measureTransfer(): Promise<Figure[]> {
  const work = await makeWorkspace();
  const [bonded, nginx] = await Promise.all([startBonded(), startNginx()]);
  const runs = { down: [], up: [], nginxDown: [], nginxUp: [], disk: [], md5: [], sha256: [] } as Record<string, number[]>;
  const record = (name: string, value: number) => runs[name]?.push(value);
  try {
    const source = (await work.sample('source', GIB)).path;
    const ours = `${bonded.url}/${BUCKET}`;
    await curl('--upload-file', source, `${ours}/down`);
    await run(['cp', source, join(nginx.root, 'down')], { env });
    for (let round = 0; round < ROUNDS; round++) {
      record('nginxDown', await curl(`${nginx.url}/down`));
      record('down', await curl(`${ours}/down`));
      record('nginxUp', await curl('--upload-file', source, `${nginx.url}/up`));
      record('up', await curl('--upload-file', source, `${ours}/up`));
      record('disk', await diskWrite(source, work.at('disk')));
      record('md5', await hashing('md5'));
      record('sha256', await hashing('sha256'));
      await truncate(join(nginx.root, 'up'), 0);
    }
  } finally {
    await Promise.all([bonded.stop(), nginx.stop(), work.remove()]);
  }
  const of = (name: string) => runs[name] ?? [];
  const peer = (name: string, runsOf: string) => ({ name, value: median(of(runsOf)) });
  return [
    {
      section: 'transfer',
      name: '1 GiB down',
      value: median(of('down')),
      unit: 'MB/s',
      runs: of('down'),
      peers: [peer('nginx', 'nginxDown')],
    },
    {
      section: 'transfer',
      name: '1 GiB up',
      value: median(of('up')),
      unit: 'MB/s',
      runs: of('up'),
      peers: [peer('nginx', 'nginxUp'), peer('disk', 'disk'), peer('md5', 'md5'), peer('sha256', 'sha256')],
      note: 'nginx neither hashes nor syncs',
    },
  ];
}
