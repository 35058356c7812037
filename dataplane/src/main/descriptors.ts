/** File descriptors, of which a process has only so many: when they are used up, files cannot be opened either, whoever asks. */
import { readFileSync } from 'node:fs';

/** What a process needs besides its connections. */
const OWN = 128;

/** A connection is a socket, and perhaps the file that goes through it. */
const EACH = 2;

/** The connections that can be open at once: as many as wanted, or as the descriptors of this process suffice for. */
export function affordableConnections(wanted: number, descriptors: number | undefined = openFileLimit()): number {
  if (descriptors === undefined) return wanted;
  return Math.max(1, Math.min(wanted, Math.floor((descriptors - OWN) / EACH)));
}

/** The limit of this process, which Node.js has raised as far as it may; undefined where the system does not say so here. */
function openFileLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
