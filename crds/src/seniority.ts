/** Who is older: it decides who keeps a name that two claim. */
import type { Metadata } from './resource.ts';

interface Claimant {
  readonly metadata: Metadata;
}

/**
 * Oldest first: whoever `holds` it already, then by creation time (a resource without one has always been there), then by
 * namespace and name, so that the order never depends on how the resources came.
 */
export function oldestFirst<Of extends Claimant>(claimants: readonly Of[], holds: (claimant: Of) => boolean): readonly Of[] {
  const rank = (claimant: Of): number => (holds(claimant) ? 0 : 1);
  return claimants.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      created(a) - created(b) ||
      compareText(a.metadata.namespace, b.metadata.namespace) ||
      compareText(a.metadata.name, b.metadata.name),
  );
}

function created({ metadata }: Claimant): number {
  return metadata.creationTimestamp ? Date.parse(metadata.creationTimestamp) : 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
