/** Reads a blob's file in large chunks: while one is lent, the next is read. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { ByteRange, Bytes } from '../contract.ts';
import type { Slabs } from './slabs.ts';

/**
 * Lends the bytes of the file, or `range` of them as far as they exist. Yields nothing but throws ENOENT at the first pull
 * when the file is not there.
 */
export async function* readFileBytes(path: string, range: ByteRange | undefined, slabs: Slabs): Bytes {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const offset = Math.min(range?.offset ?? 0, size);
    yield* readAhead(handle, { offset, length: Math.min(range?.length ?? size, size - offset) }, slabs);
  } finally {
    await handle.close();
  }
}

async function* readAhead(handle: FileHandle, range: ByteRange, slabs: Slabs): Bytes {
  const end = range.offset + range.length;
  let at = range.offset;
  let current = at < end ? beginRead(handle, at, end, slabs) : undefined;
  let next: ChunkRead | undefined;
  try {
    while (current) {
      const bytes = await current.bytes;
      at += bytes.byteLength;
      next = at < end ? beginRead(handle, at, end, slabs) : undefined;
      yield bytes;
      slabs.giveBack(current.slab);
      current = next;
      next = undefined;
    }
  } finally {
    // Left early or failed: a read still under way writes into its slab, so that goes back only after it.
    await giveBack(current, slabs);
    await giveBack(next, slabs);
  }
}

interface ChunkRead {
  readonly slab: Uint8Array;
  readonly bytes: Promise<Uint8Array>;
}

function beginRead(handle: FileHandle, at: number, end: number, slabs: Slabs): ChunkRead {
  const slab = slabs.take(end - at);
  const bytes = fill(handle, slab.subarray(0, Math.min(slab.byteLength, end - at)), at);
  // Whoever awaits it gets the failure; until then it must not count as unhandled.
  bytes.catch(() => undefined);
  return { slab, bytes };
}

async function fill(handle: FileHandle, buffer: Uint8Array, position: number): Promise<Uint8Array> {
  for (let filled = 0; filled < buffer.byteLength;) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.byteLength - filled, position + filled);
    if (bytesRead === 0) throw Object.assign(new Error('The file of a blob is shorter than it was.'), { code: 'EIO' });
    filled += bytesRead;
  }
  return buffer;
}

async function giveBack(read: ChunkRead | undefined, slabs: Slabs): Promise<void> {
  if (!read) return;
  await read.bytes.catch(() => undefined);
  slabs.giveBack(read.slab);
}
