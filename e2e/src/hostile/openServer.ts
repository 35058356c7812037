/** A server with a bucket that anyone may write to: what attacks it needs no key, and what it refuses it refuses for another reason. */
import { startServer, type Server, type ServerOptions } from '../server.ts';

export const BUCKET = 'open';

const MANIFEST = `
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

export function startOpenServer(options: Pick<ServerOptions, 'env' | 'tls' | 'through'> = {}): Promise<Server> {
  return startServer({ ...options, manifests: { 'open.yaml': MANIFEST } });
}
