/** An upload session as its client and the checker know it. */
import type { Content } from './content.ts';
import type { Name } from './register.ts';
import type { Operation } from './states.ts';
import type { Sent } from './world.ts';

/** A piece of the whole that is sent by one request: a part, or a range. */
export interface Piece {
  /** Part number, or offset of the range. */
  readonly at: number;
  /** What it shall be in the end. */
  readonly content: Content;
  /** What was acknowledged last. */
  kept?: Content;
  /** What was sent after that, without an answer. */
  perhaps: Content[];
}

/** True when just the right content is there, and nothing that could take its place is on its way. */
export function isReady({ content, kept, perhaps }: Piece): boolean {
  return kept === content && perhaps.length === 0;
}

export interface Session extends Name {
  readonly kind: 'multipart' | 'tus' | 'ietf' | 'plain' | 'parallel' | 'partial' | 'joined';
  /** What the name becomes. */
  readonly thing: Sent;
  readonly tags: string;
  /** Upload id, or path and query of its URL; of a joined one, the marks of its partials. */
  readonly id: string;
  /** When it was begun, by the server's clock. */
  readonly born: number;
  /** In order: bytes that an answer promised to keep. */
  acknowledged: number;
  /** In order: bytes of which some request spoke. */
  sent: number;
  /** Out of order. */
  readonly pieces: Piece[];
  /** Partials of a joined one. */
  readonly partials: readonly Session[];
  /** Completions without an answer. */
  naming: Operation[];
  /** `leaving`: an abort has no answer. `aborted`: it has. `named`: its name was acknowledged. */
  fate: 'open' | 'leaving' | 'aborted' | 'named';
  /** It has to be asked where it stands before it goes on. */
  unsure: boolean;
  /** A client works on it. */
  busy: boolean;
}

/** Sessions live as long, in ms: `BONDED_UPLOAD_LIFE` of the server under test. */
const LIFE = 24 * 60 * 60 * 1000;
/** Between the moment that a session is over by its own clock and that at which nobody counts on it, in ms. */
const MARGIN = 60_000;

/** `young`: it must be there. `old`: it must not. Between them it may be either. */
export function ageOf({ born }: Pick<Session, 'born'>, now: number): 'young' | 'between' | 'old' {
  const age = now - born;
  if (age < LIFE - MARGIN) return 'young';
  return age > LIFE + MARGIN ? 'old' : 'between';
}
