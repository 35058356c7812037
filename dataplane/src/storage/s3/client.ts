/** The SDK's client, set up so that nothing happens behind our back: no repetition of its own, no waiting without an end. */
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { openAgents } from './agents.ts';

/** Where the objects are. Credentials come from the SDK's own chain: environment, profile, role of the pod or the machine. */
export interface S3Place {
  readonly bucket: string;
  /** Before every object's name: '' or a text that ends with `/`. */
  readonly prefix: string;
  /** Default: Amazon's own for the region. */
  readonly endpoint?: string;
  /** Default: what the SDK finds in its environment. */
  readonly region?: string;
  /** `endpoint/bucket/name` instead of `bucket.endpoint/name`. */
  readonly forcePathStyle?: boolean;
  /** For tests: instead of the SDK's chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const CONNECT_MS = 5_000;

/** A client for the place with at most so many connections. `destroy` it at the end. */
export function openClient({ endpoint, region, forcePathStyle, credentials }: S3Place, maxSockets: number): S3Client {
  return new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(forcePathStyle !== undefined && { forcePathStyle }),
    ...(credentials && { credentials }),
    maxAttempts: 1,
    // The content of every request is covered by its signature; not every store knows the SDK's further checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketAcquisitionWarningTimeout: 2 ** 30,
      ...openAgents(maxSockets),
    }),
    // Its warnings may hold requests.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}
