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
