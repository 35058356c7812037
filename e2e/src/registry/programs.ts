/** Where the programs are that `make e2e-tools` gets. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../server.ts';

/** Built from Go modules by name, under `.tools/registry/`. */
export const BUILT = [
  'buildctl',
  'buildkitd',
  'conformance',
  'cosign2',
  'cosign3',
  'crane',
  'helm3',
  'helm4',
  'oras',
  'regctl',
  'registry',
] as const;
/** Installed with Debian's packages. */
export const DEBIAN = ['buildah', 'containerd', 'ctr', 'docker-registry', 'gpg', 'podman', 'skopeo'] as const;

export type Program = (typeof BUILT)[number] | (typeof DEBIAN)[number];

/** The path of a program. Throws, with what to do, where it is not installed: its tests shall fail, not be left out. */
export function program(name: Program): string {
  const path = isBuilt(name) ? join(CHECKOUT, '.tools/registry', name) : join('/usr/bin', name);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new Error(`${name} is not installed: run make e2e-tools, then try again.`, { cause });
  }
  return path;
}

function isBuilt(name: Program): boolean {
  return BUILT.some((built) => built === name);
}
