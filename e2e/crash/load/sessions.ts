/** How sessions of every kind end. */
import { ageOf, type Session } from '../session.ts';
import type { Answer, Ask } from '../wire.ts';
import { ask, unexpected, type World } from '../world.ts';

/** True when the answer says that the session is not there and it need not be; while it must be there, that is a violation. */
export function isGone(world: World, session: Session, answer: Answer): boolean {
  if (answer.status !== 404 && answer.status !== 410) return false;
  return session.naming.length > 0 || session.fate !== 'open' || ageOf(session, world.now()) !== 'young';
}

/** Nobody asks for it any more. */
export function over(world: World, session: Session): void {
  if (session.fate === 'aborted') return;
  world.sessions.delete(session);
}

/** Gives a session up by this request. */
export async function leave(world: World, session: Session, request: Ask): Promise<void> {
  const reply = await ask(world, request);
  if (reply.kind === 'unsent') return;
  if (reply.kind === 'lost') {
    session.fate = 'leaving';
    return;
  }
  if (isGone(world, session, reply)) return over(world, session);
  if (reply.status !== 204) throw unexpected(request, reply);
  // The checker makes sure that it stays so, once.
  session.fate = 'aborted';
}
