import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { JournalEntry } from '../../src/core/core.ts';
import { ArtefactError, isError } from '../../src/errors.ts';
import type { Change, Presign, Store } from '../../src/storage/contract.ts';
import { openMemoryStore } from '../../src/storage/memory/store.ts';
import { ACTOR, admit, bucketNamed, testCore } from './core.fixture.ts';

const ADDRESS = { expiresSeconds: 300, responseHeaders: {} };
const READER = { ...ACTOR, principal: 'key:READER', operation: 's3.GetObject' };

/** A store in memory that gives addresses, and tells what it is asked. */
function locatingStore(write: (changes: readonly Change[]) => void = () => undefined): { readonly store: Store; readonly asked: string[] } {
  const inner = openMemoryStore();
  const asked: string[] = [];
  const presign: Presign = {
    async presignGet(id) {
      asked.push('presign');
      return `https://storage.example/${id}`;
    },
  };
  const records: Store['records'] = {
    ...inner.records,
    get: (key) => inner.records.get(key),
    scan: (query) => inner.records.scan(query),
    async write(changes) {
      write(changes);
      const revisions = await inner.records.write(changes);
      for (const change of changes) if ('put' in change && change.put.startsWith('journal/')) asked.push('journal');
      return revisions;
    },
  };
  return { store: { ...inner, records, presign }, asked };
}

describe('core: addresses at which clients fetch bytes themselves', () => {
  const bucket = bucketNamed('b', { versioning: 'Enabled' });

  it('are journalled before anybody has them: who, what, which name, until when', async () => {
    const { store, asked } = locatingStore();
    const { core, put } = testCore({ store });
    const version = await put(bucket, 'folder/k', randomBytes(1_000_000));
    asked.length = 0;
    const before = Date.now();
    const address = await core.objects.locate(bucket, admit(version.digest), { version, address: ADDRESS, actor: READER });
    const after = Date.now();
    assert.match(address ?? '', /^https:\/\/storage\.example\//);
    assert.deepEqual(asked, ['presign', 'journal']);
    const [entry] = (await core.journal.read({ tail: true, limit: 1 })) as [JournalEntry];
    const { id: _id, time: _time, expires, ...rest } = entry;
    assert.deepEqual(rest, {
      actor: READER,
      change: 'redirect',
      bucket: 'b',
      name: 'folder/k',
      versionId: version.versionId,
      digest: version.digest,
      size: 1_000_000,
    });
    // Never before the address itself ends, and hardly later.
    const until = Date.parse(expires ?? '');
    assert.ok(until >= before + 300_000 && until <= after + 301_000, expires);
  });

  it('are given to nobody when the journal cannot be written', async () => {
    let failing = false;
    const { store } = locatingStore(() => {
      if (failing) throw new ArtefactError('Unavailable', 'The disk is full.');
    });
    const { core, put } = testCore({ store });
    const version = await put(bucket, 'k', randomBytes(1_000_000));
    failing = true;
    const locating = core.objects.locate(bucket, admit(version.digest), { version, address: ADDRESS, actor: READER });
    await assert.rejects(locating, (error) => isError(error, 'Unavailable'));
  });

  it('leave no entry where there is none to give', async () => {
    const { store } = locatingStore();
    const plain = testCore();
    const empty = testCore({ store });
    for (const { core, put } of [plain, empty]) {
      const version = await put(bucket, 'k', core === plain.core ? randomBytes(1_000_000) : '');
      const asked = { version, address: ADDRESS, actor: READER };
      assert.equal(await core.objects.locate(bucket, admit(version.digest), asked), undefined);
      const entries = await core.journal.read({ tail: true, limit: 10 });
      assert.deepEqual(
        entries.map(({ change }) => change),
        ['create'],
      );
    }
  });
});
