/** Addresses at which clients fetch blobs from the S3 server itself. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Presign, PresignedHeaders } from '../contract.ts';
import { checkBlobId } from '../limits.ts';
import { blobName } from './blobNames.ts';
import type { S3Place } from './client.ts';
import { translate } from './failure.ts';

/** Presigns with the client's own credentials: the address lives no longer than those do. */
export function openPresign(client: S3Client, { bucket, prefix }: S3Place, location: string): Presign {
  return {
    async presignGet(id, { expiresSeconds, responseHeaders }) {
      checkBlobId(id);
      const command = new GetObjectCommand({ Bucket: bucket, Key: prefix + blobName(id), ...overrides(responseHeaders) });
      try {
        return await getSignedUrl(client, command, { expiresIn: expiresSeconds });
      } catch (thrown) {
        throw translate(thrown, location);
      }
    },
  };
}

function overrides(headers: PresignedHeaders) {
  return {
    ...(headers.contentType !== undefined && { ResponseContentType: headers.contentType }),
    ...(headers.contentDisposition !== undefined && { ResponseContentDisposition: headers.contentDisposition }),
    ...(headers.contentEncoding !== undefined && { ResponseContentEncoding: headers.contentEncoding }),
    ...(headers.contentLanguage !== undefined && { ResponseContentLanguage: headers.contentLanguage }),
    ...(headers.cacheControl !== undefined && { ResponseCacheControl: headers.cacheControl }),
    ...(headers.expires !== undefined && Number.isFinite(Date.parse(headers.expires)) && { ResponseExpires: new Date(headers.expires) }),
  };
}
