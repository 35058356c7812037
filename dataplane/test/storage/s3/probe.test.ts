import assert from 'node:assert/strict';
import { setImmediate as giveWay } from 'node:timers/promises';
import { S3Failure, type FailureKind } from '../../../src/storage/s3/failure.ts';
import type { Multipart } from '../../../src/storage/s3/multipart.ts';
import type { Condition, ListPage, Objects } from '../../../src/storage/s3/objects.ts';
import { openBudget } from '../../../src/storage/s3/patience.ts';
import { probe, sweepProbes } from '../../../src/storage/s3/probe.ts';

/** What a bad store does. */
interface Defects {
  /** Looks whether a condition holds, and writes a moment later. */
  readonly checksThenActs?: boolean;
  readonly ignoresIfMatch?: boolean;
  readonly ignoresIfNoneMatch?: boolean;
  readonly writesMissing?: boolean;
  readonly refusesAll?: boolean;
  readonly loses?: () => boolean;
  readonly ignoresConditionalRead?: boolean;
  readonly completesOver?: boolean;
  readonly list?: (page: ListPage) => ListPage;
  readonly stale?: boolean;
}

const failure = (kind: FailureKind): S3Failure => new S3Failure(kind, kind, 400);

/** A store in memory with defects, as far as the probe looks at one. */
function badStore(defects: Defects) {
  const texts = new Map<string, { text: string; etag: string }>();
  let writes = 0;

  function holds(standing: { etag: string } | undefined, condition: Condition): boolean {
    if ('ifAbsent' in condition) return !standing || defects.ignoresIfNoneMatch === true;
    return standing ? standing.etag === condition.ifMatch || defects.ignoresIfMatch === true : defects.writesMissing === true;
  }

  function check(name: string, condition: Condition | undefined): void {
    if (condition === undefined) return;
    if (defects.refusesAll || !holds(texts.get(name), condition)) throw failure('refused');
  }

  const objects: Objects = {
    async get(name, knownEtag) {
      const standing = texts.get(name);
      if (!standing) throw failure('missing');
      if (standing.etag === knownEtag && !defects.ignoresConditionalRead) throw failure('unchanged');
      return { ...standing, text: defects.stale ? 'own 0' : standing.text };
    },
    async put(name, bytes, { condition } = {}) {
      assert.ok(bytes instanceof Uint8Array);
      check(name, condition);
      if (condition !== undefined && defects.checksThenActs) await giveWay();
      writes += 1;
      const etag = `e${writes}`;
      texts.set(name, { text: Buffer.from(bytes).toString(), etag });
      if (condition !== undefined && defects.loses?.()) throw failure('unknown');
      return etag;
    },
    head: () => Promise.reject(failure('missing')),
    delete: async (name) => void texts.delete(name),
    async list({ prefix, after = '', token, delimiter, limit }) {
      const from = token ?? after;
      const names = [...texts.keys()].filter((name) => name.startsWith(prefix) && name > from).sort();
      const inFolder = (name: string): string | undefined =>
        delimiter ? new RegExp(`^.{${prefix.length}}[^/]*/`).exec(name)?.[0] : undefined;
      const objectNames = names.filter((name) => inFolder(name) === undefined);
      const page: ListPage = {
        objects: objectNames.slice(0, limit).map((name) => ({ name, etag: 'e', size: 1, modified: 0 })),
        folders: [...new Set(names.map(inFolder).filter((folder) => folder !== undefined))],
        token: objectNames.length > limit ? objectNames[limit - 1] : undefined,
      };
      return defects.list ? defects.list(page) : page;
    },
  };
  const multipart: Multipart = {
    begin: async () => 'u',
    part: async ({ number }) => ({ number, etag: 'p' }),
    complete: (name) => (defects.completesOver || !texts.has(name) ? Promise.resolve() : Promise.reject(failure('refused'))),
    abort: async () => {},
    open: async () => [],
  };
  return { texts, room: { objects, multipart, location: 'here', budget: openBudget(), deadlineMs: 2_000 } };
}

describe('the probe of an S3 server', () => {
  it('admits one that keeps its promises, and leaves nothing there', async () => {
    const { room, texts } = badStore({});
    await probe(room);
    assert.equal(texts.size, 0);
  });

  it('is swept up after, once it is certain that nobody probes any more', async () => {
    const { room, texts } = badStore({});
    texts.set('probe/died/own', { text: 'own', etag: 'e' });
    texts.set('records/k!', { text: 'v', etag: 'e' });
    const begun = { old: 0, young: Date.now() };
    const aborted: string[] = [];
    const multipart: Multipart = {
      ...room.multipart,
      open: async (prefix) => Object.entries(begun).map(([uploadId, since]) => ({ name: `${prefix}died/parts`, uploadId, begun: since })),
      abort: async (_name, uploadId) => void aborted.push(uploadId),
    };
    await sweepProbes({ ...room, multipart });
    assert.deepEqual([...texts.keys()], ['records/k!']);
    assert.deepEqual(aborted, ['old']);

    const under = (page: ListPage): ListPage => ({ ...page, objects: page.objects.map((one) => ({ ...one, modified: Date.now() })) });
    const young = badStore({ list: under });
    young.texts.set('probe/alive/own', { text: 'own', etag: 'e' });
    await sweepProbes(young.room);
    assert.equal(young.texts.size, 1);
  });

  it('admits one whose answers are lost now and then', async () => {
    let n = 0;
    await probe(badStore({ loses: () => (n += 1) % 3 === 0 }).room);
  });

  const backwards = (page: ListPage): ListPage => ({ ...page, objects: page.objects.toReversed() });
  for (const [name, defects, reason] of [
    [
      'looks before it writes',
      { checksThenActs: true },
      /of 16 conditional writes at once \(If-None-Match: \*\) 16 succeeded instead of one/,
    ],
    ['ignores If-None-Match', { ignoresIfNoneMatch: true }, /\(If-None-Match: \*\) 16 succeeded/],
    ['ignores If-Match', { ignoresIfMatch: true }, /\(If-Match\) 16 succeeded/],
    ['refuses all conditional writes', { refusesAll: true }, /none succeeded/],
    ['writes what is missing under If-Match', { writesMissing: true }, /conditional write \(If-Match\) of an object that does not exist/],
    ['answers old content', { stale: true }, /does not answer what was written just before/],
    ['ignores conditional reads', { ignoresConditionalRead: true }, /does not heed If-None-Match with an ETag/],
    ['completes uploads over objects', { completesOver: true }, /completes a multipart upload over an object/],
    ['lists in another order', { list: backwards }, /not in the order of bytes/],
    ['lists late', { list: (page) => ({ ...page, objects: page.objects.slice(1) }) }, /lacks what was written just before/],
    ['does not collapse', { list: (page) => ({ ...page, folders: [] }) }, /does not collapse names by a delimiter/],
    ['loses every answer', { loses: () => true }, /too many of its answers were lost/],
  ] as readonly (readonly [string, Defects, RegExp])[]) {
    it(`refuses one that ${name}`, async () => {
      const { room, texts } = badStore(defects);
      await assert.rejects(
        probe(room),
        (thrown: Error) => thrown.name === 'ArtefactError' && /'here' cannot be used/.test(thrown.message) && reason.test(thrown.message),
      );
      assert.equal(texts.size, 0);
    });
  }
});
