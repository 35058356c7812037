/** Where blobs stand, under the place's prefix. */
import type { BlobId } from '../contract.ts';

export const BLOBS = 'blobs/';

/** Sorts before every character of an id, so that names are in the order of ids; and no name is `.` or `..`. */
const END = '!';

export function blobName(id: BlobId): string {
  return BLOBS + id + END;
}

/** The id, or undefined for a name that is no blob's. */
export function readBlobName(name: string): BlobId | undefined {
  return name.startsWith(BLOBS) && name.endsWith(END) ? name.slice(BLOBS.length, -END.length) : undefined;
}
