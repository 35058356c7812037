/** What a request carries, and how its signature covers that. */
import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';

/** Bytes in pieces of memory, which stay as they are until the request has ended. */
export interface Payload {
  readonly pieces: readonly Uint8Array[];
  readonly size: number;
  /** SHA-256 of all of them in hex, which the server checks; or `UNSIGNED`. */
  readonly sha256: string;
}

/** Instead of a hash, where TLS covers the bytes. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** The header that tells the signer and the server the hash. */
const HEADER = 'x-amz-content-sha256';

/** What bytes are hashed with while they are gathered. */
export interface PayloadHash {
  update(bytes: Uint8Array): void;
  sha256(): string;
}

/** A hash for bytes on their way to an endpoint: over plain HTTP nothing else would show that they were changed on the way. */
export function startPayloadHash(endpoint: string | undefined): PayloadHash {
  if (endpoint?.startsWith('http:') !== true) return { update() {}, sha256: () => UNSIGNED };
  const sha256 = createHash('sha256');
  return { update: (bytes) => void sha256.update(bytes), sha256: () => sha256.digest('hex') };
}

/** The payload of few bytes, hashed here and now. */
export function smallPayload(bytes: Uint8Array): Payload {
  return { pieces: [bytes], size: bytes.byteLength, sha256: hash('sha256', bytes, 'hex') };
}

/** As the SDK takes it; a new one for each request. */
export function carried({ pieces, size }: Payload): { readonly Body: Uint8Array | Readable; readonly ContentLength: number } {
  const [first = new Uint8Array(), ...more] = pieces;
  return { Body: more.length === 0 ? first : Readable.from(pieces), ContentLength: size };
}

interface Signable {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<unknown>) => (args: never) => Promise<unknown>,
      options: { step: 'build'; name: string },
    ): void;
  };
}

/** Gives the signer the payload's hash, so that it makes none itself. */
export function signPayload(command: unknown, { sha256 }: Payload): void {
  (command as Signable).middlewareStack.add(
    (next) => (args) => {
      (args as { request: { headers: Record<string, string> } }).request.headers[HEADER] = sha256;
      return next(args);
    },
    { step: 'build', name: 'bondedPayloadHash' },
  );
}
