/** A data directory and a directory of manifests for a test, and the configuration over them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openConfig, type Config, type ConfigOptions } from '../../src/config/openConfig.ts';
import { silentLog } from '../../src/telemetry/log.ts';

export interface Workshop {
  readonly folder: string;
  readonly data: string;
  readonly manifests: string;
  /** Writes a manifest; answers its path. */
  write(file: string, text: string): Promise<string>;
  open(options?: Partial<ConfigOptions>): Promise<Config>;
  /** Closes what was opened and removes everything. */
  close(): Promise<void>;
}

export async function createWorkshop(): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'bonded-config-'));
  const [data, manifests] = [join(folder, 'data'), join(folder, 'manifests')];
  const opened: Config[] = [];
  return {
    folder,
    data,
    manifests,
    async write(file, text) {
      const path = join(manifests, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      return path;
    },
    async open(options) {
      const issuers = [{ issuer: 'https://issuer.example' }];
      const config = await openConfig({ data, manifests, issuers, watch: false, log: silentLog(), ...options });
      opened.push(config);
      return config;
    },
    async close() {
      for (const config of opened) await config.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A manifest of a Bucket. */
export function bucketText(name: string, spec = '{}', namespace = 'team-a'): string {
  return `apiVersion: bonded.dev/v1alpha1\nkind: Bucket\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\nspec: ${spec}\n`;
}

/** Waits until it holds, for at most two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it never came to hold');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
