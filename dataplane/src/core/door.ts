/** The key to the door: bytes are opened only for a digest that was admitted. */
import type { Digest } from './digest.ts';

declare const admittedBrand: unique symbol;

/** Proof that the door was asked about this digest and let it out. */
export interface Admitted {
  readonly digest: Digest;
  readonly [admittedBrand]: true;
}

/** Makes that proof. Only `evidence/` may call it (an import rule holds that). */
export function stampAdmitted(digest: Digest): Admitted {
  return { digest } as Admitted;
}
