/** What the door says about an artefact. Papers will fill it; until a SigningPolicy can be applied there is none to ask. */

/** A decision on (digest, policy revision). */
export interface Verdict {
  readonly outcome: 'admitted' | 'held' | 'refused';
  /** Names of the checks that passed, for people and the journal. */
  readonly passed: readonly string[];
  /** What is missing, each a sentence that tells the caller what to bring. */
  readonly missing: readonly string[];
}
