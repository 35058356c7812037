/** Mounting: a blob that another repository has, without sending it. Whoever may not read it there learns nothing. */
import { withinLimits, withoutLimits } from '../../../authz/limits.ts';
import type { Core } from '../../../core/core.ts';
import { parseDigestName } from '../../../core/digest.ts';
import type { DigestName } from '../../../core/digest.ts';
import type { Holder } from '../../../core/ranges/contract.ts';
import { publicName } from '../../../core/realm.ts';
import { repositoryOf } from '../../../core/registry/names.ts';
import { isError } from '../../../errors.ts';
import { bucketNamed } from '../../buckets.ts';
import type { Call } from '../../contract.ts';
import { bucketOf, parameter, resourceOf } from '../call.ts';
import { readRepository } from '../names.ts';
import type { Repository } from '../names.ts';

/** The digest that is mounted now; undefined where it has to be sent. */
export async function mountBlob(call: Call<Repository>, core: Core): Promise<DigestName | undefined> {
  const wanted = parameter(call.head, 'mount');
  if (wanted === undefined) return undefined;
  const digest = parseDigestName(wanted);
  const from = parameter(call.head, 'from');
  const done = from === undefined || from === '' ? await mountFromAnywhere(call, core, digest) : await mountFrom(call, core, digest, from);
  return done ? digest : undefined;
}

async function mountFrom(call: Call<Repository>, core: Core, digest: DigestName, from: string): Promise<boolean> {
  const { repository } = call.params;
  try {
    const source = readRepository(from);
    const bucket = bucketNamed(call.snapshot, source.bucket);
    const resource = resourceOf(source);
    if (bucket === undefined || !call.may({ action: 'read', s3Action: 's3:GetObject', resource })) return false;
    const version = await core.registry.findBlob(bucket, { repository: source.repository, digest });
    await call.admit({ digest: version.digest, resource });
    await core.registry.mountBlob(
      { bucket, repository: source.repository },
      { bucket: bucketOf(call), place: { repository, digest } },
      call.actor,
    );
    return true;
  } catch (error) {
    if (isError(error, 'NameUnknown', 'InvalidArgument', 'Held')) return false;
    throw error;
  }
}

function mountFromAnywhere(call: Call<Repository>, core: Core, digest: DigestName): Promise<boolean> {
  const bucket = bucketOf(call);
  const limited = call.principal;
  // A token cannot name a source that its holder does not know: to look for one, it is enough that its owner may read it, in this bucket.
  if (limited.limits !== undefined) call.become(withoutLimits(limited));
  const mayRead = async (holder: Holder): Promise<boolean> => {
    const there = bucketNamed(call.snapshot, holder.bucket);
    if (there?.namespace !== holder.namespace || there.location !== bucket.location) return false;
    const demand = { action: 'read', s3Action: 's3:GetObject', resource: { bucket: holder.bucket, name: nameOfHolder(holder) } } as const;
    if (holder.bucket !== bucket.name && !withinLimits(limited, demand)) return false;
    if (!call.may(demand)) return false;
    const { resource } = demand;
    return call.admit({ digest: digest as `sha256:${string}`, resource }).then(
      () => true,
      () => false,
    );
  };
  const place = { repository: call.params.repository, digest };
  return core.registry.mountKnown(bucket, place, mayRead, call.actor).finally(() => call.become(limited));
}

/** What bindings know it by: a key, or the repository of a name of the registry. */
function nameOfHolder({ key, realm }: Holder): string {
  return realm === undefined ? key : repositoryOf(publicName({ realm }, key));
}
