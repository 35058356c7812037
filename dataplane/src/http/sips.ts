/**
 * Gives the parser what a socket received in sips, with turns of the event loop between them. Node hands it 64 KiB at once, in which
 * there is room for ten thousand chunks of a byte, or a thousand requests; nobody else would be served meanwhile.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { nextSlice, startSlices } from '../slices.ts';
import { freeChunk } from '../storage/lent.ts';

/** Bytes of a sip: some hundred chunks, or some ten requests. */
const SMALL = 2 * 1024;
/** Bytes of a sip where others were cheap: of the worst that could be in it, it takes some milliseconds. */
const LARGE = 16 * 1024;
/** Per byte, in ms: costs less than this where sips may become larger. */
const CHEAP = 0.02 / 1024;
/** Buffers of at least so many bytes are worth freeing at once. */
const WORTH_FREEING = 16 * 1024;

/**
 * Takes over from Node every connection of `server`, or of its TLS. What is certain to be within a body of known length is not
 * cut; nor is anything read from a connection while the parser still has to be given something of it.
 */
export function sipFrom(server: Server, connected: 'connection' | 'secureConnection'): void {
  const drinkers = new WeakMap<Socket, Drinker>();
  const onRequest = (request: IncomingMessage): void => {
    const length = Number(request.headers['content-length'] ?? 0);
    drinkers.get(request.socket)?.bodyBegan(Number.isSafeInteger(length) ? length : 0);
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.prependListener(event, onRequest);
  server.on(connected, (socket: Socket) => {
    const drinker = drinkFrom(socket);
    if (drinker) drinkers.set(socket, drinker);
  });
}

interface Drinker {
  /** The head of a request with a body of so many bytes ended within the sip that is being taken. */
  bodyBegan(length: number): void;
}

function drinkFrom(socket: Socket): Drinker | undefined {
  // Node's own, which gives the parser all of it.
  const [feed] = socket.listeners('data') as ((data: Buffer) => void)[];
  if (!feed) return undefined;
  let most = SMALL;
  let sip = 0;
  /** Bytes that will certainly belong to a body; a sip counts as its body's from the first byte on, so there may be more. */
  let certain = 0;
  let waits = false;

  const take = (data: Buffer): number => {
    sip = data.length <= certain ? data.length : Math.min(data.length, most);
    certain = Math.max(0, certain - sip);
    const began = performance.now();
    feed.call(socket, sip === data.length ? data : data.subarray(0, sip));
    most = performance.now() - began < sip * CHEAP ? Math.min(most * 2, LARGE) : SMALL;
    return sip;
  };
  const putBack = (data: Buffer): void => {
    socket.pause();
    socket.unshift(data);
  };
  const onData = (data: Buffer): void => {
    // Whoever wants more of a body lets the socket flow, whoever's turn it is.
    if (waits) return putBack(data);
    const slices = startSlices();
    let rest = data;
    do rest = rest.subarray(take(rest));
    while (rest.length > 0 && !slices.due() && !isHeld(socket));
    if (rest.length === 0) return data.length < WORTH_FREEING ? undefined : freeChunk(data);
    if (socket.destroyed) return;
    // Node lets it flow when the body's reader, or the reader of the answers, has caught up.
    const held = socket.isPaused();
    putBack(rest);
    if (held) return;
    waits = true;
    void nextSlice().then(() => {
      waits = false;
      socket.resume();
    });
  };
  socket.removeListener('data', feed);
  socket.on('data', onData);
  return { bodyBegan: (length) => (certain = Math.max(0, length - sip)) };
}

function isHeld(socket: Socket): boolean {
  return socket.destroyed || socket.isPaused();
}
