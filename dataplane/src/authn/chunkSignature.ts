/** The chain of signatures of a signed aws-chunked body: each covers its chunk and the signature before it. */
import { createHash, hash, type Hash } from 'node:crypto';
import { ArtefactError } from '../errors.ts';
import { equalInConstantTime } from './constantTime.ts';
import { signText } from './derivedKey.ts';
import type { ChunkSeed } from './payloadAuth.ts';
import { MISMATCH } from './sigv4.ts';

const EMPTY = hash('sha256', '', 'hex');

/** Checks signatures in the order of the body. */
export interface ChunkChain {
  /** Bytes of the chunk under way. */
  update(bytes: Uint8Array): void;
  /** Ends the chunk; throws `SignatureMismatch` unless `signature` is its own. */
  endChunk(signature: string): void;
  /** The same for trailers, in their canonical form. */
  endTrailers(canonicalTrailers: string, signature: string): void;
}

/** A chain that begins with the request's own signature. */
export function createChunkChain(seed: ChunkSeed): ChunkChain {
  let previous = seed.signature;
  let number = 0;
  let digest: Hash = createHash('sha256');

  function link(algorithm: string, hashes: readonly string[], given: string): void {
    const toSign = [algorithm, seed.amzDate, seed.scope, previous, ...hashes].join('\n');
    const expected = signText(seed.key, toSign);
    if (!equalInConstantTime(given, expected)) {
      throw new ArtefactError('SignatureMismatch', MISMATCH, {
        details: { chunk: number, signatureProvided: given, stringToSign: toSign },
      });
    }
    previous = expected;
  }

  return {
    update(bytes) {
      digest.update(bytes);
    },
    endChunk(signature) {
      number += 1;
      const finished = digest.digest('hex');
      digest = createHash('sha256');
      link('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY, finished], signature);
    },
    endTrailers(canonicalTrailers, signature) {
      link('AWS4-HMAC-SHA256-TRAILER', [hash('sha256', Buffer.from(canonicalTrailers, 'latin1'), 'hex')], signature);
    },
  };
}
