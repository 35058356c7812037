import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSigningKeys, parseSigningKeys } from '../../src/authn/signingKey.ts';
import { refused } from './requests.ts';

const LINE = 'A'.repeat(43);
const OTHER = 'B'.repeat(43);

describe('the signing key file', () => {
  let directory = '';
  let path = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bonded-signing-key-'));
    path = join(directory, 'data', 'signing-key');
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('is made once, for its owner alone, with nothing left beside it', async () => {
    const keys = await loadSigningKeys(path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(directory, 'data')), ['signing-key']);
    assert.deepEqual(await loadSigningKeys(path), keys);
    assert.match(await readFile(path, 'utf8'), /^[\w-]{43}\n$/);
  });

  it('is one and the same for all who start at once', async () => {
    const loaded = await Promise.all(Array.from({ length: 8 }, () => loadSigningKeys(path)));
    assert.deepEqual(new Set(loaded.map(([key]) => key.id)).size, 1);
    assert.deepEqual(await readdir(join(directory, 'data')), ['signing-key']);
  });

  it('may hold several keys, the first of which signs', () => {
    const [first, second] = parseSigningKeys(`# since May\n${LINE}\n${OTHER}\n`, 'file');
    assert.equal(first.id, parseSigningKeys(LINE, 'file')[0].id);
    assert.equal(second?.id, parseSigningKeys(OTHER, 'file')[0].id);
    assert.notEqual(first.id, second.id);
    assert.equal(first.sealing.equals(first.secrets), false);
  });

  it('is refused when it holds anything else', async () => {
    for (const text of ['', '\n', '# nothing\n', 'short', `${LINE}=`, ` ${LINE}`, `${LINE} ${OTHER}`]) {
      const error = await refused(() => parseSigningKeys(text, '/data/signing-key'), 'InvalidArgument', /\/data\/signing-key/);
      assert.equal(error.message.includes(LINE), false);
    }
  });

  it('is refused when everybody can read it', async () => {
    await loadSigningKeys(path);
    await chmod(path, 0o644);
    await refused(() => loadSigningKeys(path), 'InvalidArgument', /chmod 600/);
    await writeFile(path, LINE);
    await chmod(path, 0o440);
    await loadSigningKeys(path);
  });
});
