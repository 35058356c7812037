/** What a request is about, and what may be said of it. Shared by protocols that write names. */
import type { BucketConfig } from '@bonded/crds';
import type { Resource } from '../authz/action.ts';
import { ArtefactError, isError } from '../errors.ts';
import type { Call, Demand } from './contract.ts';

/** A name in a bucket that a request is about. */
export interface Subject {
  readonly bucket: BucketConfig;
  readonly key: string;
}

/** The same for demands. */
export function resourceOf({ bucket, key }: Subject): Resource {
  return { bucket: bucket.name, name: key };
}

/** Runs a look-up; what it says of absent names reaches only callers who may list them. */
export async function conceal<T>(call: Call<unknown>, subject: Subject, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    const tellsAbsence = isError(error, 'NameUnknown', 'VersionUnknown', 'DeleteMarkerFound');
    if (!tellsAbsence || call.may(listing(subject))) throw error;
    throw new ArtefactError('AccessDenied', 'Access Denied');
  }
}

function listing(subject: Subject): Demand {
  return { action: 'list', s3Action: 's3:ListBucket', resource: resourceOf(subject), context: new Map([['s3:prefix', [subject.key]]]) };
}
