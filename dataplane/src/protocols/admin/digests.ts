/** `GET /api/v1/digests/{digest}/keep` (why bytes are still here) and `POST /api/v1/collection` (a round of collection). */
import type { Keep } from '../../core/collect/contract.ts';
import type { Digest } from '../../core/digest.ts';
import { repositoryOf } from '../../core/registry/names.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Demand } from '../contract.ts';
import { ANY_AUTHENTICATED, INSTALLATION, listNames, readName } from './demands.ts';
import { json, readJson } from './json.ts';
import { digest } from './parameters.ts';
import { row } from './row.ts';

interface DigestParams {
  readonly digest: Digest;
}

export const explainKeep = row<DigestParams>({
  name: 'admin.ExplainKeep',
  method: 'GET',
  path: '/api/v1/digests/{digest}/keep',
  fields: { digest },
  demands: () => [ANY_AUTHENTICATED],
  async handle(call, core) {
    const keep = await core.collection.explain(call.params.digest);
    return json(200, call.may(INSTALLATION) ? known(keep) : filtered(keep, call));
  },
});

export const collect = row<Readonly<Record<never, never>>>({
  name: 'admin.Collect',
  method: 'POST',
  path: '/api/v1/collection',
  fields: {},
  demands: () => [INSTALLATION],
  async handle(call, core) {
    await readJson(call, {});
    return json(200, await core.collection.collect(call.signal));
  },
});

function known(keep: Keep): Keep {
  if (!keep.stored && keep.names.length === 0) throw digestUnknown();
  return keep;
}

/** Only the names that the caller may list; one that sees none of them must not learn that the bytes are here. */
function filtered({ digest: asked, size, stored, names, quarantined }: Keep, call: Call<DigestParams>): Keep {
  const visible = names.filter((name) => call.may(looking(name)));
  if (visible.length === 0) throw digestUnknown();
  return { digest: asked, size, stored, names: visible, ...(quarantined !== undefined && { quarantined }) };
}

/** A repository is seen by whoever may read it, as in its own protocol. */
function looking({ bucket, key, realm }: Keep['names'][number]): Demand {
  return realm === undefined ? listNames(bucket, key) : readName(bucket, repositoryOf(key));
}

function digestUnknown(): ArtefactError {
  return new ArtefactError('DigestUnknown', 'No bytes with this digest are kept, or none under a name that you may list.');
}
