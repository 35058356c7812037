/** Answers that may take longer than connections survive in silence. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError } from '../../../errors.ts';
import type { Bytes } from '../../../storage/contract.ts';
import type { Call, Reply } from '../../contract.ts';
import { renderS3Error } from '../errors.ts';
import type { ObjectParams } from '../operation.ts';
import { xmlReply } from '../replies.ts';
import { renderXml } from '../xml.ts';
import type { XmlContent } from '../xml.ts';

/** A document to answer, with headers that can only be sent while nothing has been. */
export interface Answer {
  readonly root: string;
  readonly content: XmlContent;
  readonly headers: Readonly<Record<string, string>>;
}

/** In ms: how long an answer may take before its head is sent, and how often white space follows. */
export interface Patience {
  readonly silence: number;
  readonly beat: number;
}

const PATIENCE: Patience = { silence: 5_000, beat: 5_000 };
const DECLARATION = /^<\?xml[^>]*\?>\s*/;

/**
 * Answers `work` plainly when it is done soon. Later, as S3 does for completions and copies: 200 at once, white space while it
 * goes on, then the document, which may be an `<Error>`. Clients know to look ("a 200 OK response can contain an error").
 */
export async function answerInTime(call: Call<ObjectParams>, work: Promise<Answer>, patience: Patience = PATIENCE): Promise<Reply> {
  const early = await settledWithin(work, patience.silence);
  if (early) return xmlReply(early.root, early.content, early.headers);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: spacedOut(call, work, patience.beat) };
}

async function* spacedOut(call: Call<ObjectParams>, work: Promise<Answer>, beat: number): Bytes & AsyncGenerator<Uint8Array> {
  yield Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n');
  try {
    let answer = await settledWithin(work, beat);
    for (; !answer; answer = await settledWithin(work, beat)) yield Buffer.from(' ');
    yield withoutDeclaration(renderXml(answer.root, answer.content));
  } catch (error) {
    // what is unexpected breaks the connection, and is logged there: the client tries again
    if (!(error instanceof ArtefactError)) throw error;
    const { bucket, key } = call.params;
    const { body } = renderS3Error(error, { requestId: call.head.id, method: call.head.method, bucket, key });
    yield withoutDeclaration(typeof body === 'string' ? body : '');
  }
}

/** The answer, or undefined when it takes longer. A failure is thrown as soon as it is known. */
async function settledWithin(work: Promise<Answer>, time: number): Promise<Answer | undefined> {
  const timer = new AbortController();
  const late = sleep(time, undefined, { signal: timer.signal }).then(nothing, nothing);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

function nothing(): undefined {
  return undefined;
}

function withoutDeclaration(document: string): Uint8Array {
  return Buffer.from(document.replace(DECLARATION, ''));
}
