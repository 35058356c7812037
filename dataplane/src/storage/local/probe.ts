/** Proves that a location can be written, cheaply enough for a readiness check every second. */
import { randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { onDisk, unavailable } from './failure.ts';
import type { Layout } from './layout.ts';
import type { WriteQueue } from './writeQueue.ts';

/** An answer holds this long, in ms, and all who ask meanwhile share it. */
const HOLDS_MS = 1000;

/** A disk that hangs is as bad as one that fails, in ms. */
const PATIENCE_MS = 5000;

/** One file-system block: a full disk has no room for it. */
const PROBE_BYTES = 4096;

export interface ProbeOptions {
  readonly layout: Layout;
  readonly queue: WriteQueue;
  readonly location: string;
}

/** Answers a function that commits a row and syncs a file, and throws `Unavailable` (or `SlowDown`) with the reason when it cannot. */
export function openProbe(options: ProbeOptions): () => Promise<void> {
  let last: { readonly answer: Promise<void>; until: number } | undefined;
  return () => {
    if (last && performance.now() < last.until) return last.answer;
    const probing = { answer: withPatience(options.location, writeBoth(options)), until: Infinity };
    const hold = (): void => void (probing.until = performance.now() + HOLDS_MS);
    probing.answer.then(hold, hold);
    last = probing;
    return probing.answer;
  };
}

async function writeBoth({ layout, queue, location }: ProbeOptions): Promise<void> {
  await queue.write([{ probe: Date.now() }]);
  await onDisk(location, () => writeFileOnce(join(layout.incoming, `probe~${randomBytes(9).toString('base64url')}`)));
}

async function writeFileOnce(path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.write(new Uint8Array(PROBE_BYTES));
    await handle.datasync();
  } finally {
    await handle.close();
    await unlink(path).catch(() => undefined);
  }
}

async function withPatience(location: string, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(unavailable(location, `it did not answer within ${PATIENCE_MS / 1000} s; check its disk`)),
      PATIENCE_MS,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
