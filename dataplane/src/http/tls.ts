/** TLS from files, read again when they change: a renewed certificate is in force for the next connection, without a restart. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import type { Server } from 'node:https';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Log } from '../telemetry/log.ts';

export interface TlsFiles {
  /** PEM: the certificate, then its intermediates. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

export interface ReloadingTls {
  options(): SecureContextOptions & { readonly ALPNProtocols: string[] };
  /** From now on, `server` gets every renewal. */
  attach(server: Pick<Server, 'setSecureContext'>): void;
  close(): void;
}

/** Files are looked at this long after the last sign of a change: two files, and links to them, change one after the other. */
const SETTLE_MS = 200;
/** …and this often without a sign, for file systems that give none. */
const POLL_MS = 60_000;

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the files and watches them. Rejects when they cannot be used; a later pair that cannot is logged, and the last good one stays. */
export async function loadTls(
  files: TlsFiles,
  log: Log,
  timing: { readonly settleMs: number; readonly pollMs: number } = { settleMs: SETTLE_MS, pollMs: POLL_MS },
): Promise<ReloadingTls> {
  let current = await readPair(files);
  const servers = new Set<Pick<Server, 'setSecureContext'>>();

  const reload = async () => {
    try {
      const renewed = await readPair(files);
      if (fingerprint(renewed) === fingerprint(current)) return;
      current = renewed;
      for (const server of servers) server.setSecureContext(secure(current));
      log.info({ certificate: files.certificate }, 'TLS certificate reloaded');
    } catch (error) {
      log.error({ err: error, certificate: files.certificate }, 'TLS files cannot be used; the last good certificate stays in force');
    }
  };
  const stopWatching = watchFolders(files, timing, () => void reload());

  return {
    options: () => ({ ...secure(current), ALPNProtocols: ['http/1.1'] }),
    attach: (server) => void servers.add(server),
    close: stopWatching,
  };
}

function secure(pair: Pair): SecureContextOptions {
  return { ...pair, minVersion: 'TLSv1.2', honorCipherOrder: true };
}

async function readPair(files: TlsFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  // Throws when one is no PEM, or they do not belong together.
  createSecureContext({ cert, key });
  return { cert, key };
}

function fingerprint({ cert, key }: Pair): string {
  return createHash('sha256').update(cert).update(key).digest('hex');
}

/** Folders, not files: renewals replace files (Kubernetes swaps a link above them), and a watch on a replaced file goes blind. */
function watchFolders(files: TlsFiles, timing: { readonly settleMs: number; readonly pollMs: number }, changed: () => void): () => void {
  let settle: NodeJS.Timeout | undefined;
  const sign = () => {
    clearTimeout(settle);
    settle = setTimeout(changed, timing.settleMs).unref();
  };
  const watchers: FSWatcher[] = [];
  for (const folder of new Set([dirname(files.certificate), dirname(files.key)])) {
    watchers.push(watch(folder, { persistent: false }, sign).on('error', () => {}));
  }
  const poll = setInterval(changed, timing.pollMs).unref();
  return () => {
    clearTimeout(settle);
    clearInterval(poll);
    for (const watcher of watchers) watcher.close();
  };
}
