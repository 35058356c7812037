import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtefactError } from '../../../../src/errors.ts';
import type { Call } from '../../../../src/protocols/contract.ts';
import { answerInTime } from '../../../../src/protocols/s3/objects/slowAnswer.ts';
import type { Answer } from '../../../../src/protocols/s3/objects/slowAnswer.ts';
import type { ObjectParams } from '../../../../src/protocols/s3/operation.ts';
import type { Bytes } from '../../../../src/storage/contract.ts';
import { parseXml } from '../../../../src/protocols/s3/xml.ts';
import { headOf } from './stage.ts';

const ANSWER: Answer = { root: 'Done', content: { ETag: '"x"' }, headers: { 'x-amz-version-id': 'v' } };
const call = { head: headOf({ method: 'POST', target: '/b/k' }), params: { bucket: 'b', key: 'k' } } as Call<ObjectParams>;
const patience = { silence: 10, beat: 10 };

const later = async <T>(value: () => T): Promise<T> => {
  await sleep(60);
  return value();
};

async function read(body: unknown): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of body as Bytes) chunks.push(Buffer.from(chunk).toString());
  return chunks;
}

describe('answers that take long', () => {
  it('a quick one is plain, with its headers', async () => {
    const reply = await answerInTime(call, Promise.resolve(ANSWER), patience);
    assert.deepEqual([reply.status, reply.headers?.['x-amz-version-id']], [200, 'v']);
    assert.ok(typeof reply.body === 'string' && reply.body.includes('<Done'));
  });

  it('a quick failure is thrown, and gets its own status', async () => {
    const failing = Promise.reject(new ArtefactError('PartUnknown', 'no'));
    await assert.rejects(answerInTime(call, failing, patience), { code: 'PartUnknown' });
  });

  it('a slow one keeps the connection alive and is one well-formed document', async () => {
    const reply = await answerInTime(
      call,
      later(() => ANSWER),
      patience,
    );
    const chunks = await read(reply.body);
    assert.ok(chunks.length >= 4, `${chunks.length} chunks`);
    assert.ok(chunks[0]!.startsWith('<?xml'));
    assert.deepEqual(new Set(chunks.slice(1, -1)), new Set([' ']));
    assert.equal(parseXml(Buffer.from(chunks.join('')), ['Done']).required('ETag').text, '"x"');
  });

  it('a slow failure is an Error document behind the 200', async () => {
    const reply = await answerInTime(
      call,
      later<Answer>(() => {
        throw new ArtefactError('PartUnknown', 'no such part');
      }),
      patience,
    );
    assert.equal(reply.status, 200);
    const document = parseXml(Buffer.from((await read(reply.body)).join('')), ['Error']);
    assert.equal(document.required('Code').text, 'InvalidPart');
    assert.equal(document.required('Message').text, 'no such part');
  });

  it('an unexpected slow failure breaks the connection, and shows nothing', async () => {
    const reply = await answerInTime(
      call,
      later<Answer>(() => {
        throw new Error('disk /dev/sda is on fire');
      }),
      patience,
    );
    await assert.rejects(read(reply.body), /on fire/);
  });

  it('an answer that nobody reads does not bring the process down', async () => {
    await answerInTime(
      call,
      later<Answer>(() => {
        throw new ArtefactError('Internal', 'x');
      }),
      patience,
    );
    await sleep(80);
  });
});
