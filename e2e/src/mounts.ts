/** File systems of a test's own, where the machine permits them. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const MIB = 1024 * 1024;

/** Why there can be no small file system in memory here; undefined when there can. */
export const whyNoTmpfs = tried((folder) => mountTmpfs(folder, 1));
/** The same for one of its own on a file, which can be made to fail. */
export const whyNoExt4 = tried((folder) => mountExt4(folder, `${folder}.img`));

/** Mounts a file system in memory that is full after so many MiB. */
export function mountTmpfs(folder: string, mib: number): void {
  command('mount', '-t', 'tmpfs', '-o', `size=${mib}m,mode=0700`, 'bonded-test', folder);
}

/** Makes an ext4 file system on a file, if that is not there, and mounts it. */
export function mountExt4(folder: string, image: string): void {
  const made = spawnSync('test', ['-e', image]).status === 0;
  if (!made) {
    closeSync(openSync(image, 'w'));
    truncateSync(image, 256 * MIB);
    command('mkfs.ext4', '-q', '-F', '-E', 'root_owner=0:0', image);
  }
  command('mount', '-o', 'loop', image, folder);
}

/** Lets a file system fail from now on, as a disk does that is pulled out: what was not synced is lost. */
export function failExt4(folder: string): void {
  // EXT4_IOC_SHUTDOWN, without flushing the journal.
  const script = 'import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))';
  command('python3', '-c', script, folder);
}

/** Processes that were killed may hold it for a moment longer; what still does after some seconds keeps it. */
export function unmount(folder: string): void {
  for (let tries = 0; tries < 50; tries += 1) {
    if (spawnSync('umount', [folder]).status === 0) return;
    spawnSync('sleep', ['0.1']);
  }
  spawnSync('umount', ['-l', folder]);
}

/** Takes all the space that is left; answers how it is given back. */
export function fill(folder: string): () => void {
  const path = join(folder, 'filler');
  const file = openSync(path, 'w');
  for (let size = MIB; size >= 512; size /= 2) while (wrote(file, size));
  closeSync(file);
  return () => rmSync(path);
}

function wrote(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch {
    return false;
  }
}

function tried(mount: (folder: string) => void): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bonded-mount-'));
  try {
    mount(folder);
    unmount(folder);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.img`, { force: true });
  }
}

function command(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`);
}
