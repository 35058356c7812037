/** The servers that the measurements are made on. */
import { startServer, type Server } from '../e2e/src/server.ts';

export const BUCKET = 'bench';

// Anyone may write here, so that a figure is of the store and not of the client's signing; one figure is signed.
const MANIFESTS = `
apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: ${BUCKET}, namespace: bonded-system }
spec: {}
---
apiVersion: bonded.dev/v1alpha1
kind: AccessBinding
metadata: { name: anyone, namespace: bonded-system }
spec:
  subjects: [{ anonymous: {} }]
  role: Maintainer
  resources: [{ bucket: ${BUCKET} }]
`;

/** A fresh Bonded with a bucket that anyone may write to, logging nothing below warnings. */
export function startBonded(): Promise<Server> {
  return startServer({ manifests: { 'bench.yaml': MANIFESTS }, env: { BONDED_LOG_LEVEL: 'warn' } });
}

export function portOf(server: Server): number {
  return Number(new URL(server.url).port);
}
