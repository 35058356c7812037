/** Comparison of secrets in a time that tells nothing of where they differ. */
import { hash, timingSafeEqual } from 'node:crypto';

/** True when both are equal. Takes the same time wherever, and by whatever length, they differ. */
export function equalInConstantTime(given: string, expected: string): boolean {
  const digests = [given, expected].map((text) => hash('sha256', text, 'buffer'));
  return timingSafeEqual(digests[0] as Buffer, digests[1] as Buffer);
}
