/** What the primary process and its workers say to one another. */
import type { Worker } from 'node:cluster';

/** From a worker. `failed`: it could not start, and starting it again would not help before somebody reads why. */
export type WorkerMessage = { readonly bonded: 'ready'; readonly url: string } | { readonly bonded: 'failed'; readonly reason: string };

/** To a worker. `lead`: collect and scrub from now on. `stop`: finish transfers within `drainMs`, then end; a later one hurries. */
export type PrimaryMessage = { readonly bonded: 'lead' } | { readonly bonded: 'stop'; readonly drainMs: number };

/** From within a worker. `then` is called when it is on its way, or cannot be. */
export function tellPrimary(message: WorkerMessage, then: () => void = () => {}): void {
  process.send?.(message, then);
}

/** In a worker's environment: which storage location the primary has proved. A worker that finds another place proves it itself. */
const PROVED = 'PROVED_LOCATION';

/** The environment of a worker, besides the primary's own. */
export function workerEnvironment(proved: string | undefined): Record<string, string> {
  return { [PROVED]: proved ?? '' };
}

/** From within a worker: what the primary has proved. */
export function provedByPrimary(): string | undefined {
  return process.env[PROVED];
}

/** A worker that is gone by now hears nothing, and that is no fault. */
export function tellWorker(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => {});
}

/** Other libraries use the same channel; what is not ours is undefined. */
export function ours<Message extends { readonly bonded: string }>(message: unknown): Message | undefined {
  return typeof message === 'object' && message !== null && 'bonded' in message ? (message as Message) : undefined;
}
