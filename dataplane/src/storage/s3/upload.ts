/** Takes a body in: a small one as one object, a larger one as parts that travel while the next is filled. */
import { ArtefactError, isError } from '../../errors.ts';
import type { BlobId, Bytes } from '../contract.ts';
import { blobName } from './blobNames.ts';
import { newNonce } from './body.ts';
import { mayComeLate, S3Failure, unavailable } from './failure.ts';
import { watchFor } from './late.ts';
import { timeFor, type Multipart, type Part } from './multipart.ts';
import type { Objects } from './objects.ts';
import type { Lanes } from './parallel.ts';
import type { PartMemory } from './partMemory.ts';
import { partsOf, type GatheredPart } from './partsOf.ts';
import { beginTries, repeated, type Patience } from './patience.ts';
import type { Payload, PayloadHash } from './payload.ts';

/** What it takes to make a blob appear under its name. */
export interface Naming extends Patience {
  readonly objects: Objects;
}

export interface Uploading extends Naming {
  readonly multipart: Multipart;
  readonly memory: PartMemory;
  readonly startHash: () => PayloadHash;
  /** As many for a part that travels in this process as it is times the first size. */
  readonly lanes: Lanes;
  /** Size of the first parts, in bytes; at least 5 MiB. */
  readonly partBytes: number;
}

/** Parts of one upload that travel at once, at the first size; larger ones fewer. */
const AT_ONCE = 4;
/** S3's own limit. */
const MOST_PARTS = 10_000;
/** Parts double in size after so many, four times: 5 MiB parts hold 5 GiB, then 10, 20 and 40 of the next, and 80 MiB parts up to 542 GiB in all. */
const DOUBLE_AFTER = 1000;
const DOUBLINGS = 4;

/** The size of a part by its number, from 1. */
export function partSize(number: number, first: number): number {
  return first * 2 ** Math.min(DOUBLINGS, Math.floor((number - 1) / DOUBLE_AFTER));
}

export function taken(): ArtefactError {
  return new ArtefactError('Conflict', 'Bytes are stored under this id already; choose a new one.');
}

/** Stores a body under a new id; answers its size. What the body throws goes to the caller as it is. */
export async function upload(room: Uploading, id: BlobId, body: Bytes): Promise<number> {
  const { memory, startHash, partBytes } = room;
  let parts: PartsUpload | undefined;
  let size = 0;
  try {
    for await (const part of partsOf(body, { memory, startHash, wantedSize: (number) => partSize(number, partBytes) })) {
      size += part.payload.size;
      await endedWithPart(part, async () => {
        if (part.last && !parts) await sendAlone(room, id, part);
        else await (parts ??= await beginParts(room, id)).send(part);
        if (part.last) await parts?.finish();
      });
    }
    return size;
  } catch (thrown) {
    await parts?.abort();
    throw thrown;
  }
}

/** However the work fails, the part has left and will not come back. */
async function endedWithPart(part: GatheredPart, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    part.lost();
    throw thrown;
  }
}

async function sendAlone(room: Uploading, id: BlobId, part: GatheredPart): Promise<void> {
  const { atOnce } = await putWhole(room, id, part.payload);
  if (atOnce) part.back();
  else part.lost();
}

/** Stores bytes as one object. Throws `Conflict` when the id has bytes. `atOnce`: nothing of them is under way any more. */
export async function putWhole(room: Naming, id: BlobId, payload: Payload): Promise<{ readonly atOnce: boolean }> {
  const nonces: string[] = [];
  const underWay = new Set<string>();
  const stands = await untilOurs(room, id, nonces, async () => {
    const nonce = newNonce();
    nonces.push(nonce);
    try {
      await room.objects.put(blobName(id), payload, { condition: { ifAbsent: true }, nonce, timeoutMs: timeFor(payload.size) });
    } catch (thrown) {
      if (mayComeLate(thrown)) underWay.add(nonce);
      throw thrown;
    }
    return nonce;
  });
  underWay.delete(stands);
  if (underWay.size > 0) await watchFor(room, id, stands);
  return { atOnce: nonces.length === 1 };
}

/** Repeats the request that makes the blob appear, until it is ours (by one of the nonces; answers by which) or somebody else's. */
async function untilOurs(room: Naming, id: BlobId, nonces: readonly string[], appear: () => Promise<string>): Promise<string> {
  const tries = beginTries(room);
  for (;;) {
    try {
      const nonce = await appear();
      room.budget.earn();
      return nonce;
    } catch (thrown) {
      if (!(thrown instanceof S3Failure)) throw thrown;
      if (thrown.kind === 'fatal') await tries.again(thrown);
      const owner = await ownerOf(room, id);
      if (owner !== undefined) return oneOf(nonces, owner.nonce);
      // The upload is gone and made nothing; or S3 asks for all parts again, and the body has gone by.
      if (thrown.kind === 'missing' || thrown.code === 'ConditionalRequestConflict') {
        throw unavailable(room.location, 'it gave up an upload that was being completed; send it again', thrown);
      }
      await tries.again(thrown);
    }
  }
}

/** Throws `Conflict` for a blob that another writer made. */
function oneOf(nonces: readonly string[], nonce: string | undefined): string {
  if (nonce === undefined || !nonces.includes(nonce)) throw taken();
  return nonce;
}

async function ownerOf(room: Naming, id: BlobId): Promise<{ readonly nonce: string | undefined } | undefined> {
  try {
    return await repeated(room, () => room.objects.head(blobName(id)));
  } catch (thrown) {
    if (thrown instanceof S3Failure && thrown.kind === 'missing') return undefined;
    throw thrown;
  }
}

interface PartsUpload {
  /** Takes a part, unless it is empty; waits while too many travel. Throws when one that was sent before has failed. */
  send(part: GatheredPart): Promise<void>;
  /** All have been sent. */
  finish(): Promise<void>;
  /** Leaves nothing behind; never throws. */
  abort(): Promise<void>;
}

async function beginParts(room: Uploading, id: BlobId): Promise<PartsUpload> {
  const name = blobName(id);
  const nonce = newNonce();
  const uploadId = await repeated(room, () => room.multipart.begin(name, nonce));
  const parts: Part[] = [];
  const travelling = new Set<Promise<void>>();
  let begun = 0;
  let failure: { readonly thrown: unknown } | undefined;

  async function travel(number: number, sent: GatheredPart): Promise<void> {
    let attempts = 0;
    try {
      const part = await repeated(room, () => {
        attempts += 1;
        return room.multipart.part({ name, uploadId, number }, sent.payload);
      });
      parts.push(part);
      // An attempt that was given up may read them still.
      if (attempts === 1) sent.back();
    } catch (thrown) {
      failure ??= { thrown };
    }
    sent.lost();
  }

  async function untilFewer(most: number): Promise<void> {
    while (travelling.size > most) await Promise.race(travelling);
    if (failure) throw failure.thrown;
  }

  async function send(part: GatheredPart): Promise<void> {
    const { size } = part.payload;
    if (size === 0) return part.back();
    begun += 1;
    if (begun > MOST_PARTS)
      throw new ArtefactError(
        'BodyTooLarge',
        `Storage location '${room.location}' cannot hold so many bytes under one id; send it in parts.`,
      );
    const atOnce = Math.max(1, Math.floor((AT_ONCE * room.partBytes) / size));
    await untilFewer(atOnce - 1);
    const number = begun;
    const journey = room.lanes.run(() => travel(number, part), Math.ceil(size / room.partBytes)).finally(() => travelling.delete(journey));
    travelling.add(journey);
  }

  return {
    send,
    async finish() {
      await untilFewer(0);
      const inOrder = parts.toSorted((a, b) => a.number - b.number);
      await untilOurs(room, id, [nonce], async () => {
        await room.multipart.complete(name, uploadId, inOrder, { ifAbsent: true });
        return nonce;
      });
    },
    async abort() {
      await Promise.allSettled(travelling);
      await repeated(room, () => room.multipart.abort(name, uploadId)).catch((thrown: unknown) => {
        if (!(thrown instanceof S3Failure) && !isError(thrown, 'Unavailable', 'SlowDown')) throw thrown;
      });
    },
  };
}
