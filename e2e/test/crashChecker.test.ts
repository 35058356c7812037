/** The checker of the crash rounds, itself checked: on histories that can be, and on histories that cannot. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { permitted } from '../crash/permitted.ts';
import { openRegister, type Seen } from '../crash/register.ts';
import { NOTHING, step, type Act, type Operation, type Outcome, type State, type Thing, type Versioning } from '../crash/states.ts';

const thing = (mark: string): Thing => ({ mark, size: mark.length, sha256: `sha of ${mark}`, etag: `etag of ${mark}` });
const put = (mark: string): Act => ({ kind: 'put', thing: thing(mark), tags: '' });
const DONE: Outcome = { kind: 'done' };
const UNKNOWN: Outcome = { kind: 'unknown' };

let numbers = 0;
const operation = (act: Act, [start, end]: readonly [number, number], outcome: Outcome = DONE): Operation => ({
  n: (numbers += 1),
  act,
  start,
  end: outcome.kind === 'unknown' ? Infinity : end,
  outcome,
  who: 'test',
});

/** The marks that a name may have, newest first, '' for nothing and - for a delete marker. */
function may(operations: readonly Operation[], versioning: Versioning = 'never', before: readonly State[] = [NOTHING]): readonly string[] {
  const states = permitted(before, operations, versioning);
  return [...new Set(states.map(({ versions }) => versions.map((version) => version.thing?.mark ?? '-').join()))].toSorted();
}

describe('crash checker', () => {
  it('knows one outcome of writes that came one after the other, and either of such as overlapped', () => {
    assert.deepEqual(may([operation(put('a'), [1, 2]), operation(put('b'), [3, 4])]), ['b']);
    assert.deepEqual(may([operation(put('a'), [1, 3]), operation(put('b'), [2, 4])]), ['a', 'b']);
  });

  it('lets a write without an answer have happened or not, but only after it was sent', () => {
    assert.deepEqual(may([operation(put('a'), [1, 2]), operation(put('b'), [3, 0], UNKNOWN)]), ['a', 'b']);
    assert.deepEqual(may([operation({ kind: 'delete' }, [1, 0], UNKNOWN), operation(put('a'), [2, 3])]), ['', 'a']);
    const seen: Outcome = { kind: 'done', mark: 'b' };
    assert.deepEqual(may([operation(put('a'), [1, 2]), operation(put('b'), [3, 0], UNKNOWN), operation({ kind: 'read' }, [4, 5], seen)]), [
      'b',
    ]);
  });

  it('finds no state for a lost write, for two winners and for a read of what was overwritten', () => {
    const first = { ...put('a'), only: { absent: true } } as Act;
    const second = { ...put('b'), only: { absent: true } } as Act;
    assert.deepEqual(may([operation(first, [1, 3]), operation(second, [2, 4])]), []);
    assert.deepEqual(may([operation(first, [1, 3]), operation(second, [2, 4], { kind: 'refused' })]), ['a']);
    const old: Outcome = { kind: 'done', mark: 'a' };
    assert.deepEqual(may([operation(put('a'), [1, 2]), operation(put('b'), [3, 4]), operation({ kind: 'read' }, [5, 6], old)]), []);
  });

  it('keeps versions where they are kept, and replaces the null one where they are not', () => {
    const versions = [
      operation(put('a'), [1, 2], { kind: 'done', versionId: 'v1' }),
      operation({ kind: 'delete' }, [3, 4], { kind: 'done', versionId: 'v2' }),
    ];
    assert.deepEqual(may(versions, 'on'), ['-,a']);
    const [state] = permitted([NOTHING], versions, 'on');
    assert.deepEqual(may([operation(put('n1'), [5, 6]), operation(put('n2'), [7, 8])], 'paused', [state!]), ['n2,-,a']);
    assert.deepEqual(may([operation({ kind: 'delete', versionId: 'v2' }, [9, 10])], 'on', [state!]), ['a']);
  });

  it('counts the completion of an upload once, however often it is asked for', () => {
    const complete: Act = { kind: 'put', thing: thing('u'), tags: '', upload: 'id' };
    const twice = [operation(complete, [1, 0], UNKNOWN), operation(put('a'), [2, 3]), operation(complete, [4, 5])];
    assert.deepEqual(may(twice, 'on'), ['a,u', 'u,a']);
    const again: Act = { ...complete, again: true };
    const perhapsTwice = [operation(again, [1, 0], UNKNOWN), operation(put('a'), [2, 3]), operation(again, [4, 5])];
    assert.deepEqual(may(perhapsTwice, 'on'), ['a,u', 'u,a', 'u,a,u', 'u,u,a'].toSorted());
  });

  it('settles a name by what is seen, and from then on knows nothing else', () => {
    const register = openRegister();
    const name = { bucket: 'b', key: 'k' };
    const seenAs = (mark: string): Seen => ({ ...thing(mark), id: 'null', tags: '' });
    register.end(register.begin(name, put('a'), 'test'), DONE);
    register.begin(name, put('b'), 'test');
    assert.equal(register.observe(name, 'never', [seenAs('b')]), undefined);
    assert.match(register.observe(name, 'never', [seenAs('a')]) ?? '', /is what it cannot be[^]*permitted \(1\):[^]*=b#/);
    assert.match(register.observe(name, 'never', [{ ...seenAs('b'), sha256: 'of half of it' }]) ?? '', /cannot be/);
    assert.match(register.observe(name, 'never', []) ?? '', /cannot be/);
  });

  it('permits whatever a store does that performs operations one by one, of which some answers are lost', () => {
    const anyAct = fc.oneof(
      fc.nat(5).map((n) => put(`m${n}`)),
      fc.constant<Act>({ kind: 'delete' }),
      fc.nat(3).map((n): Act => ({ kind: 'tag', tags: `t=${n}` })),
      fc.constant<Act>({ ...put('only'), only: { absent: true } } as Act),
    );
    const anyEvent = fc.record({ act: anyAct, fate: fc.constantFrom('answered', 'lost after', 'lost before') });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), fc.constantFrom<Versioning>('never', 'on', 'paused'), (events, versioning) => {
        let state: State = NOTHING;
        const operations = events.map(({ act, fate }, index) => {
          const done = operation(act, [2 * index, 2 * index + 1], { kind: 'done', versionId: `v${index}` });
          const next = step(state, done, versioning);
          if (fate === 'lost before') return { ...done, end: Infinity, outcome: UNKNOWN };
          if (next === undefined) return { ...done, outcome: { kind: 'refused' } as const };
          state = next;
          return fate === 'answered' ? done : { ...done, end: Infinity, outcome: UNKNOWN };
        });
        const marks = ({ versions }: State): string => versions.map((version) => `${version.thing?.mark ?? '-'} ${version.tags}`).join();
        assert.ok(permitted([NOTHING], operations, versioning).some((found) => marks(found) === marks(state)));
      }),
      { numRuns: 300 },
    );
  });
});
