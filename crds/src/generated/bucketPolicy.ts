/** Generated from the definition of BucketPolicy by crds/generate.ts; do not edit. */
export interface BucketPolicySpec {
  /**
   * Name of the bucket on the wire.
   */
  bucket: string;
  /**
   * The document that S3's PutBucketPolicy takes, at most 20 KiB as JSON. An unknown element, action, operator or condition key is an error, never ignored; until it is mended the bucket is closed.
   */
  document: {
    [k: string]: unknown;
  };
}

/**
 * What is in force; written by Bonded.
 */
export interface BucketPolicyStatus {
  observedGeneration?: number;
  /**
   * @maxItems 16
   */
  conditions?: {
    type: string;
    status: 'True' | 'False' | 'Unknown';
    observedGeneration?: number;
    lastTransitionTime: string;
    reason: string;
    message: string;
  }[];
}
