/** A chart to package, and a key to sign charts with. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../files.ts';
import { run } from '../shell.ts';
import { program } from './programs.ts';

export const CHART = 'ware';

/** Lays the sources of a chart into a folder; answers it. Its template says `colour`. */
export async function makeChart(folder: string, version: string, colour: string): Promise<string> {
  await mkdir(join(folder, 'templates'), { recursive: true });
  const about = `apiVersion: v2\nname: ${CHART}\nversion: ${version}\ndescription: What the tests ship\n`;
  const template =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }} }\ndata: { colour: {{ .Values.colour | quote }} }\n';
  await writeFile(join(folder, 'Chart.yaml'), about);
  await writeFile(join(folder, 'values.yaml'), `colour: ${colour}\n`);
  await writeFile(join(folder, 'templates/map.yaml'), template);
  return folder;
}

/** Key rings in the older form of GnuPG, which is what Helm reads. */
export interface KeyRings {
  readonly owner: string;
  readonly secret: string;
  readonly open: string;
}

export async function makeKeyRings(work: Workspace): Promise<KeyRings> {
  const owner = 'Packer';
  const home = work.at('gpg');
  await mkdir(home, { mode: 0o700 });
  const env = { PATH: '/usr/bin:/bin', HOME: work.folder, GNUPGHOME: home };
  const gpg = (...args: string[]) => run([program('gpg'), '--batch', '--yes', ...args], { env });
  const rings = { owner, secret: work.at('secret.gpg'), open: work.at('open.gpg') };
  await gpg('--passphrase', '', '--quick-gen-key', `${owner} <packer@bonded.test>`, 'rsa2048', 'sign', 'never');
  await gpg('--output', rings.secret, '--export-secret-keys');
  await gpg('--output', rings.open, '--export');
  // The agent would stay and hold its folder.
  await run(['/usr/bin/gpgconf', '--kill', 'all'], { env });
  return rings;
}
