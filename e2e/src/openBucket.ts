/** Manifests of a bucket that anyone may write to, so that a client needs no key. */
export const openBucketManifests = (bucket: string): string => `
apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: ${bucket}, namespace: bonded-system }
spec: {}
---
apiVersion: bonded.dev/v1alpha1
kind: AccessBinding
metadata: { name: anyone, namespace: bonded-system }
spec:
  subjects: [{ anonymous: {} }]
  role: Maintainer
  resources: [{ bucket: ${bucket} }]
`;
