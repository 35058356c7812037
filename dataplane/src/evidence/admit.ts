/** The door: asks for a verdict about a digest that is about to leave, and hands out the key when it may. */
import type { Snapshot } from '@bonded/crds';
import type { Digest } from '../core/digest.ts';
import { stampAdmitted, type Admitted } from '../core/door.ts';
import { ArtefactError } from '../errors.ts';
import type { Verdict } from './verdict.ts';

/** What wants to leave, and under which name. */
export interface Leaving {
  readonly digest: Digest;
  readonly resource: { readonly bucket?: string; readonly name?: string };
}

/** Whom it would be given to. */
export interface Receiver {
  readonly id: string;
}

/** Decides about a digest under the policies of a snapshot. */
export type Judge = (subject: Leaving, receiver: Receiver, snapshot: Snapshot) => Promise<Verdict>;

/** The proof that lets `subject` be opened. Throws `Held`, saying what is missing, when a policy holds or refuses it. */
export async function admit(subject: Leaving, receiver: Receiver, snapshot: Snapshot, judge: Judge = verdictOf): Promise<Admitted> {
  const verdict = await judge(subject, receiver, snapshot);
  if (verdict.outcome === 'admitted') return stampAdmitted(subject.digest);
  throw new ArtefactError('Held', heldMessage(verdict), { details: { outcome: verdict.outcome } });
}

/** No policy that a snapshot can hold asks for papers yet, so there is nothing that could be missing. */
function verdictOf(): Promise<Verdict> {
  return Promise.resolve({ outcome: 'admitted', passed: [], missing: [] });
}

function heldMessage(verdict: Verdict): string {
  const reason = verdict.outcome === 'held' ? 'This artefact is held until its papers arrive.' : 'This artefact may not leave.';
  return [reason, ...verdict.missing].join(' ');
}
