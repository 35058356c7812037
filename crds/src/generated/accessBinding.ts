/** Generated from the definition of AccessBinding by crds/generate.ts; do not edit. */
export interface AccessBindingSpec {
  /**
   * Whom it is about; any one of them.
   *
   * @minItems 1
   * @maxItems 64
   */
  subjects: {
    /**
     * Bearers of a token of a trusted issuer.
     */
    oidc?: {
      /**
       * The issuer's URL, exactly as its tokens have it in `iss`; one that the installation trusts.
       */
      issuer: string;
      /**
       * Claims that must all match; a claim matches when any of its values here is one of its values in the token. A name with dots, such as realm_access.roles, also finds a claim within claims.
       */
      claims: {
        /**
         * @minItems 1
         * @maxItems 64
         */
        [k: string]: string[];
      };
    };
    /**
     * A service account of the cluster whose tokens Bonded trusts.
     */
    serviceAccount?: {
      namespace: string;
      name: string;
    };
    /**
     * Holders of the key pair in a Secret of the binding's namespace (accessKeyId, secretAccessKey).
     */
    accessKey?: {
      secretName: string;
    };
    /**
     * Anyone, with or without credentials.
     */
    anonymous?: {};
  }[];
  /**
   * Reader: read, list. Publisher: also create. Maintainer: also overwrite, delete, tag. Signer: read, list, attach papers. Owner: all of these, and the bucket's settings and policy.
   */
  role: 'Reader' | 'Publisher' | 'Maintainer' | 'Signer' | 'Owner';
  /**
   * Where. The default is every bucket in reach.
   *
   * @minItems 1
   * @maxItems 256
   */
  resources?: {
    /**
     * Name of the bucket on the wire.
     */
    bucket: string;
    /**
     * Globs over keys, repositories, chart and package names; the default is every name. `**` crosses `/`, `*` and `?` do not.
     *
     * @minItems 1
     * @maxItems 256
     */
    names?: string[];
  }[];
}

/**
 * What is in force; written by Bonded.
 */
export interface AccessBindingStatus {
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
