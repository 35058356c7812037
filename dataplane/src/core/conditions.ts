/** Preconditions on the present state of a name (RFC 9110 §13.1, S3's conditional writes and deletes). */
import { ArtefactError } from '../errors.ts';
import type { Conditions, ObjectVersion, Version } from './object.ts';

/** Throws unless `current` (undefined or a delete marker: nothing is there) fulfils the conditions of a write. */
export function checkWrite(current: Version | undefined, conditions: Conditions): void {
  const object = current === undefined || current.deleteMarker ? undefined : current;
  if (conditions.ifMatch !== undefined) requireMatch(object, conditions.ifMatch);
  if (conditions.ifNoneMatch !== undefined && object !== undefined && matches(object, conditions.ifNoneMatch))
    throw failed('If-None-Match');
}

/** The same for a delete: S3 lets a condition on nothing fail, since it cannot be the version that was meant. */
export function checkDelete(current: Version | undefined, conditions: Conditions): void {
  const object = current === undefined || current.deleteMarker ? undefined : current;
  if (conditions.ifMatch !== undefined) requireMatch(object, conditions.ifMatch);
  if (conditions.ifMatchSize !== undefined && object?.size !== conditions.ifMatchSize) throw failed('x-amz-if-match-size');
  if (conditions.ifMatchModified !== undefined && !sameSecond(object, conditions.ifMatchModified))
    throw failed('x-amz-if-match-last-modified-time');
}

function requireMatch(object: ObjectVersion | undefined, etags: readonly string[]): void {
  if (object === undefined) throw new ArtefactError('NameUnknown', 'The specified key does not exist.');
  if (!matches(object, etags)) throw failed('If-Match');
}

function matches(object: ObjectVersion, etags: readonly string[]): boolean {
  return etags.some((etag) => etag === '*' || etag === object.etag);
}

/** HTTP dates have whole seconds. */
function sameSecond(object: ObjectVersion | undefined, modified: number): boolean {
  return object !== undefined && Math.floor(object.modified / 1000) === Math.floor(modified / 1000);
}

function failed(condition: string): ArtefactError {
  return new ArtefactError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold.', {
    details: { condition },
  });
}
