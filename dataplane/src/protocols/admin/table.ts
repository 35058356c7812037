/** The table of the JSON API. `docs/api/openapi.yaml` describes every row. */
import { getBucket, listBuckets } from './buckets.ts';
import type { ListBucketsDeps } from './buckets.ts';
import { deleteBucket } from './deleteBucket.ts';
import { collect, explainKeep } from './digests.ts';
import { readJournal } from './journal.ts';
import { openapi } from './openapi.ts';
import type { OpenApiDeps } from './openapi.ts';
import { presign } from './presign.ts';
import type { PresignDeps } from './presign.ts';
import { putBucket } from './putBucket.ts';
import type { PutBucketDeps } from './putBucket.ts';
import type { Row } from './row.ts';
import { listFindings, scrubDigest, scrubState, startPass } from './scrub.ts';
import { search } from './search.ts';
import { sessionRows } from './sessions.ts';
import type { SessionDeps } from './sessions.ts';
import { whoami } from './whoami.ts';
import type { WhoamiDeps } from './whoami.ts';

/** What the rows need besides the core. */
export type AdminDeps = ListBucketsDeps & OpenApiDeps & PresignDeps & PutBucketDeps & SessionDeps & WhoamiDeps;

export function adminTable(deps: AdminDeps): readonly Row[] {
  return [
    whoami(deps),
    listBuckets(deps),
    getBucket,
    putBucket(deps),
    deleteBucket,
    search,
    readJournal,
    presign(deps),
    explainKeep,
    collect,
    scrubState,
    startPass,
    listFindings,
    scrubDigest,
    openapi(deps),
    ...sessionRows(deps),
  ];
}
