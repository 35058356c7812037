/** Where a protocol is reached. */
import type { Protocol, RequestHead } from '../protocols/contract.ts';

export interface Mount {
  readonly protocol: Protocol;
  /** A path prefix of whole segments, such as `/api/v1`; absent: every path. */
  readonly path?: string;
  /** Decides by host, method and headers; a refusal leaves the request to the mounts after this one. */
  readonly accepts?: (head: RequestHead) => boolean;
  /** How the protocol's clients know the request id, besides `X-Request-Id`. */
  readonly requestIdHeader?: string;
}

/** The first mount that takes the request; the last one takes what no other does. */
export function mountFor(mounts: readonly Mount[], head: RequestHead): Mount {
  return mounts.find((mount) => takes(mount, head)) ?? mounts.at(-1)!;
}

function takes({ path, accepts }: Mount, head: RequestHead): boolean {
  return (path === undefined || isBeneath(head.rawPath, path)) && accepts?.(head) !== false;
}

function isBeneath(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}
