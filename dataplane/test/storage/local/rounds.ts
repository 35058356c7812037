/** What the writing child stores in each round: the parent can tell from the number alone. */

/** Rows and files, of one chunk and of many. */
const SIZES = [100, 40_000, 5000, 600_000, 0, 1_500_000];

/** Size in bytes of the blob of a round. */
export function sizeOf(round: number): number {
  return SIZES[round % SIZES.length] ?? 0;
}

/** The blob id of a round. */
export function blobOf(round: number): string {
  return `01JD${String(round).padStart(22, '0')}`;
}
