/** Where clients reach this store. */
import type { RequestHead } from '../contract.ts';

export interface EndpointDeps {
  /** The public URL of the store, without a slash at its end; without it, what the request was sent to. */
  readonly publicUrl?: string;
}

/** The URL that answers hand out. Only the caller sees it, so its own Host header may be believed. */
export function endpointFor(head: RequestHead, { publicUrl }: EndpointDeps): string {
  return publicUrl ?? `${head.secure ? 'https' : 'http'}://${head.host}`;
}
