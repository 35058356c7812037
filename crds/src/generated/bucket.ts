/** Generated from the definition of Bucket by crds/generate.ts; do not edit. */
export interface BucketSpec {
  /**
   * Name on the wire, as S3 allows them; unique in the installation, immutable. The default is metadata.name.
   */
  name?: string;
  /**
   * One of the storage locations that the installation has; immutable.
   */
  location: string;
  /**
   * Whether an overwritten or deleted name keeps its earlier versions.
   */
  versioning: 'Enabled' | 'Suspended' | 'Disabled';
  /**
   * Names that may be created and never overwritten or deleted, in any protocol.
   *
   * @maxItems 100
   */
  immutability: {
    /**
     * A glob over names. `**` crosses `/`, `*` and `?` do not.
     */
    match: string;
  }[];
  /**
   * What becomes of the content when the resource is deleted.
   */
  deletionPolicy: 'Retain' | 'Delete';
  /**
   * Which pages of other origins may call the bucket from a browser; the first rule that fits holds, as in S3.
   *
   * @maxItems 100
   */
  cors: {
    id?: string;
    /**
     * Origins such as https://ui.example, each with at most one `*`.
     *
     * @minItems 1
     * @maxItems 100
     */
    allowedOrigins: string[];
    /**
     * @minItems 1
     * @maxItems 5
     */
    allowedMethods: ('GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD')[];
    /**
     * Request headers that a preflight may ask for, each with at most one `*`.
     *
     * @maxItems 100
     */
    allowedHeaders?: string[];
    /**
     * Response headers that a page may read.
     *
     * @maxItems 100
     */
    exposeHeaders?: string[];
    /**
     * How long a browser may keep the answer to a preflight, in seconds.
     */
    maxAgeSeconds?: number;
  }[];
  /**
   * Labels for people and bills, as S3 bucket tagging shows them.
   */
  tags: {
    [k: string]: string;
  };
}

/**
 * What is in force; written by Bonded.
 */
export interface BucketStatus {
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
  /**
   * Where S3 clients reach the bucket.
   */
  endpoint?: string;
  /**
   * Current names in it.
   */
  objects?: number;
  /**
   * Bytes that its current names point at.
   */
  bytes?: number;
}
