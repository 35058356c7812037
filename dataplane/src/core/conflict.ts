/** Optimistic changes that need not be made again when somebody else came before: what that one wrote stands. */
import { isError } from '../errors.ts';

/** For `catch`: a lost race is no failure. */
export function unlessConflict(error: unknown): undefined {
  if (!isError(error, 'Conflict')) throw error;
  return undefined;
}

/** Whether a change was made, or somebody else's came before it. */
export async function tookPlace(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    unlessConflict(error);
    return false;
  }
}
