/** Small files that are whole or not there, whatever dies when. Each function is durable when it resolves. */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Makes the file; answers false, changing nothing, when there is one already. Of several at once just one is answered true. */
export async function createFile(path: string, text: string, mode: number): Promise<boolean> {
  const beside = await writeBeside(path, text, mode);
  try {
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
}

/** Puts the text in the place of what the file held. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const beside = await writeBeside(path, text, mode);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes the file; answers whether there was one. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** The name begins with a dot, so that no reader of the folder takes it for a file of its own. */
async function writeBeside(path: string, text: string, mode: number): Promise<string> {
  const beside = join(dirname(path), `.${randomBytes(9).toString('hex')}.tmp`);
  const file = await open(beside, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return beside;
}

/** A new name is durable only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
