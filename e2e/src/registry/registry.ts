/** The registry that clients are tried on: a Bonded server, or another registry to tell a client's ways from the server's. */
import { startServer } from '../server.ts';
import { PEERS, startPeer, type PeerName } from './peer.ts';

export interface Registry {
  readonly name: 'bonded' | PeerName;
  /** Host and port, as clients write them before a repository. It speaks plain HTTP. */
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** The name of a repository, without the host: in the bucket of the tests. */
  repository(name: string): string;
  stop(): Promise<void>;
}

export const BUCKET = 'wares';

const MANIFESTS = `
apiVersion: bonded.dev/v1alpha1
kind: Bucket
metadata: { name: ${BUCKET}, namespace: bonded-system }
spec: {}
`;

/** Starts an empty registry that lets nobody in without a password. E2E_REGISTRY names another one than Bonded. */
export async function startRegistry(name: string = process.env.E2E_REGISTRY || 'bonded'): Promise<Registry> {
  if (name === 'bonded') return startBonded();
  const peer = PEERS.find((one) => one === name);
  if (peer === undefined) throw new Error(`E2E_REGISTRY must be one of bonded, ${PEERS.join(', ')}.`);
  return { ...(await startPeer(peer)), name: peer, repository };
}

async function startBonded(): Promise<Registry> {
  const server = await startServer({ manifests: { 'bucket.yaml': MANIFESTS } });
  const { accessKeyId: user, secretAccessKey: password } = server.credentials;
  return { name: 'bonded', host: server.host, user, password, repository, stop: () => server.stop() };
}

function repository(name: string): string {
  return `${BUCKET}/${name}`;
}
