/** Which protocol is reached where. */
import type { Authenticator } from '../authn/authenticate.ts';
import type { LoadedSnapshot } from '../config/snapshot.ts';
import type { Settings } from '../config/settings.ts';
import type { Health } from '../http/health.ts';
import type { Mount } from '../http/mount.ts';
import { accessKeysIn } from '../protocols/accessKeys.ts';
import { createAccess } from '../protocols/admin/access.ts';
import { openApiWhenAsked } from '../protocols/admin/openapi.ts';
import { createAdminProtocol } from '../protocols/admin/protocol.ts';
import type { RequestHead } from '../protocols/contract.ts';
import { createOciProtocol } from '../protocols/oci/protocol.ts';
import { createTokenProtocol } from '../protocols/oci/token/protocol.ts';
import { bucketOfHost } from '../protocols/s3/address.ts';
import { createS3Protocol } from '../protocols/s3/protocol.ts';
import { accepts as isForSts, createStsProtocol } from '../protocols/sts/protocol.ts';
import { acceptsTarget, createUploadsProtocol } from '../protocols/uploads/protocol.ts';

export interface MountOptions {
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly health: Health;
  /** The configuration in force now. */
  readonly snapshot: () => LoadedSnapshot;
}

/** Every protocol in its place, S3 last: what no other takes is a bucket and a key. A host that names a bucket is S3's alone. */
export function createMounts({ settings, authenticator, health, snapshot }: MountOptions): readonly Mount[] {
  const isOurs = (head: RequestHead) => bucketOfHost(head.host, settings.domains) === undefined;
  const access = createAccess(Date.now);
  const admin = createAdminProtocol({ openapi: openApiWhenAsked(), authenticator, clock: Date.now, snapshot, access });
  const s3 = createS3Protocol({
    region: settings.region,
    domains: settings.domains,
    namespaceFor: (call, bucket) => access.namespaceFor(call, bucket),
    visibleBuckets: access.visibleBuckets,
    verifyForm: (form, current) => authenticator.authenticateForm(form, accessKeysIn(current)),
  });
  const uploads = createUploadsProtocol();
  return [
    { path: '/healthz', accepts: isOurs, protocol: health.protocol },
    { path: '/readyz', accepts: isOurs, protocol: health.protocol },
    { path: '/api', accepts: isOurs, protocol: admin },
    { path: '/auth/token', accepts: isOurs, protocol: createTokenProtocol({ authenticator }) },
    { path: '/auth', accepts: isOurs, protocol: admin },
    { path: '/v2', accepts: isOurs, protocol: createOciProtocol({ visibleBuckets: access.visibleBuckets }) },
    { path: '/uploads', accepts: isOurs, protocol: uploads },
    {
      accepts: (head) => isOurs(head) && isForSts(head),
      protocol: createStsProtocol({ authenticator }),
      requestIdHeader: 'x-amzn-RequestId',
    },
    { accepts: (head) => isOurs(head) && acceptsTarget(head), protocol: uploads },
    { protocol: s3, requestIdHeader: 'x-amz-request-id' },
  ];
}
