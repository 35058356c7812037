/** The grammars of distribution-spec 1.1, "Pulling manifests": repository names and tags. */
import { ArtefactError } from '../../errors.ts';

/** A repository: the first component of its name is the bucket. */
export interface Repository {
  readonly bucket: string;
  readonly repository: string;
}

/** Characters of a whole name; the spec warns of clients that take no more than 255 with the host. */
const MAX_NAME = 255;

/** What stands between the slashes of a name. */
export const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-{1,16})[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** Reads `<bucket>/<repository>`. Throws `InvalidArgument`, reason `name`, and `NameUnknown` for a name that is only a bucket. */
export function readRepository(name: string): Repository {
  const components = name.split('/');
  if (name.length > MAX_NAME || !components.every((one) => COMPONENT.test(one))) {
    throw new ArtefactError(
      'InvalidArgument',
      'This is no name of a repository: use lower-case letters, digits and . _ - between slashes.',
      {
        details: { reason: 'name' },
      },
    );
  }
  const [bucket = '', ...rest] = components;
  if (rest.length === 0) {
    throw new ArtefactError('NameUnknown', `A repository's name begins with its bucket: write ${bucket}/<repository>.`, {
      details: { reason: 'repository' },
    });
  }
  return { bucket, repository: rest.join('/') };
}

/** The whole name again. */
export function nameOf({ bucket, repository }: Repository): string {
  return `${bucket}/${repository}`;
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Throws `InvalidArgument`, reason `tag`. */
export function readTag(text: string): string {
  if (isTag(text)) return text;
  throw new ArtefactError(
    'InvalidArgument',
    'This is no tag: it has 1 to 128 letters, digits, _ . and -, and begins with none of the last two.',
    {
      details: { reason: 'tag' },
    },
  );
}
