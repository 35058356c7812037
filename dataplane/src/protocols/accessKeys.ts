/** The access keys in force for a request. */
import type { AccessKeyConfig, Snapshot } from '@bonded/crds';

/** Looks one up by its id. */
export function accessKeysIn(snapshot: Snapshot): (accessKeyId: string) => AccessKeyConfig | undefined {
  const { accessKeysById } = snapshot as Snapshot & { readonly accessKeysById?: ReadonlyMap<string, AccessKeyConfig> };
  if (accessKeysById) return (accessKeyId) => accessKeysById.get(accessKeyId);
  return (accessKeyId) => snapshot.accessKeys.find((key) => key.accessKeyId === accessKeyId);
}
