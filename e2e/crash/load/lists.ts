/** Listings while everything changes: what nobody touches must be in them as it is, and nothing may be that was never sent. */
import { readListing, type Entry } from '../check/listing.ts';
import type { State } from '../states.ts';
import { Violation, type World } from '../world.ts';
import type { Client } from './objects.ts';

export async function listBucket({ world, random }: Client, bucket: string): Promise<void> {
  const before = new Map(namesAtRest(world, bucket));
  const listing = await readListing(world, bucket, { pageSize: random.pick([2, 7, 1000]) });
  if (listing === undefined) return;
  checkSent(world, bucket, listing);
  const listed = new Map(listing.map((entry) => [entry.key, entry.etag]));
  // Of those that somebody began to change meanwhile nothing can be said.
  for (const [key, state] of namesAtRest(world, bucket)) {
    const wanted = state.versions[0]?.thing?.etag;
    if (!before.has(key) || listed.get(key) === wanted) continue;
    throw new Violation(`LIST of ${bucket} shows ${key} as ${listed.get(key)}; it is ${wanted}, and at rest.`);
  }
}

function namesAtRest({ register }: World, bucket: string): readonly (readonly [string, State])[] {
  const names = register.names().filter((name) => name.bucket === bucket);
  return names.flatMap((name) => {
    const state = register.settled(name);
    return state === undefined ? [] : [[name.key, state] as const];
  });
}

function checkSent(world: World, bucket: string, listing: readonly Entry[]): void {
  const etags = new Set([...world.things.values()].map(({ etag }) => etag));
  for (const { key, etag } of listing)
    if (!etags.has(etag)) throw new Violation(`LIST of ${bucket} shows ${key} with ${etag}, which nobody sent.`);
}
