/** What the s3 driver does not promise. */
import type { Skip } from '../conformance.ts';

export const NOT_TRANSACTIONAL: readonly Skip[] = [
  { reason: 'its batches are ordered, not transactional', tests: ['undoes the whole batch when a condition fails'] },
];
