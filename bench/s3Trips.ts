/** How often requests for small objects wait for the S3 server: counted, not timed, so nothing else that the machine does is in it. */
import { randomBytes } from 'node:crypto';
import type { Backend } from '../e2e/s3-backend/backend.ts';
import { startProxy } from '../e2e/s3-backend/proxy.ts';
import { storageIn } from '../e2e/s3-backend/storage.ts';
import { openTripCounter, type Trips } from '../e2e/s3-backend/trips.ts';
import type { Workspace } from '../e2e/src/files.ts';
import type { Server } from '../e2e/src/server.ts';
import { median, type Figure } from './figures.ts';
import { bucketUrl, startBonded } from './house.ts';

/** Now and then a request of Bonded's own comes between. */
const TIMES = 3;
const SIZE = 4096;

interface Request {
  readonly name: string;
  /** Round trips that it may take. */
  readonly most: number;
  /** `n`: how often it was sent before. */
  readonly send: (bucket: string, n: number) => Promise<Response>;
}

const put = (url: string) => fetch(url, { method: 'PUT', body: randomBytes(SIZE) });

const REQUESTS: readonly Request[] = [
  { name: 'PUT of 4 KiB, new', most: 9, send: (bucket, n) => put(`${bucket}/new-${n}`) },
  { name: 'PUT of 4 KiB over another', most: 9, send: (bucket) => put(`${bucket}/known`) },
  { name: 'GET of 4 KiB', most: 2, send: (bucket) => fetch(`${bucket}/known`) },
  { name: 'HEAD', most: 2, send: (bucket) => fetch(`${bucket}/known`, { method: 'HEAD' }) },
  { name: 'LIST', most: 1, send: (bucket) => fetch(`${bucket}?list-type=2`) },
  { name: 'DELETE', most: 5, send: (bucket, n) => fetch(`${bucket}/new-${n}`, { method: 'DELETE' }) },
];

/** One server that knows what it has been asked for before, one request at a time. */
export async function measureTrips(backend: Backend, work: Workspace): Promise<Figure[]> {
  const counter = openTripCounter();
  const proxy = await startProxy(backend.endpoint, counter);
  try {
    const place = { endpoint: proxy.endpoint, credentials: backend.credentials };
    const storage = await storageIn(work.at(''), place, { bucket: await backend.newBucket() }, 'trips.yaml');
    const bonded = await startBonded({ workers: 1, storage });
    const count = (send: Request['send'], n: number) => counter.during(proxy, async () => answered(await send(bucketUrl(bonded), n)));
    return await countAll(bonded, count).finally(() => bonded.stop());
  } finally {
    await proxy.close();
  }
}

async function countAll(bonded: Server, count: (send: Request['send'], n: number) => Promise<Trips>): Promise<Figure[]> {
  await answered(await put(`${bucketUrl(bonded)}/known`));
  const figures: Figure[] = [];
  for (const request of REQUESTS) {
    const trips: Trips[] = [];
    for (let n = 0; n < TIMES; n++) trips.push(await count(request.send, n));
    figures.push(figureOf(request, trips));
  }
  return figures;
}

async function answered(response: Response): Promise<void> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
}

function figureOf({ name, most }: Request, trips: readonly Trips[]): Figure {
  const runs = trips.map(({ waits }) => waits);
  return {
    section: 's3',
    name,
    value: median(runs),
    unit: 'waits',
    runs,
    peers: [],
    target: { of: 'value', is: 'at most', limit: most },
    details: [{ name: 'requests', value: median(trips.map(({ requests }) => requests.length)), unit: '' }],
  };
}
