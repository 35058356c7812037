import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { createRound } from '../../src/http/round.ts';

describe('a round of requests', () => {
  it('begins what came in one turn together, in order, in a turn of its own', async () => {
    const begin = createRound();
    const said: string[] = [];
    const say = (text: string) => () => {
      said.push(text);
      // Continuations run when all have begun.
      process.nextTick(() => said.push(`after ${text}`));
    };
    begin(say('a'));
    begin(say('b'));
    assert.deepEqual(said, []);
    await turn();
    assert.deepEqual(said, ['a', 'b', 'after a', 'after b']);
  });

  it('leaves what comes during a round to the next one', async () => {
    const begin = createRound();
    const said: string[] = [];
    begin(() => {
      said.push('first');
      begin(() => said.push('second'));
    });
    await turn();
    assert.deepEqual(said, ['first']);
    await turn();
    assert.deepEqual(said, ['first', 'second']);
  });
});
