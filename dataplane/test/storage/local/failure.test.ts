import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { ArtefactError } from '../../../src/errors.ts';
import { fromReport, onDisk, report, translate } from '../../../src/storage/local/failure.ts';
import { failsWith } from '../conformance/bodies.ts';

const errno = (code: string): Error => Object.assign(new Error(`${code}: /secret/path`), { code });

describe('local store: failures', () => {
  for (const [code, reason] of [
    ['ENOSPC', /no space/],
    ['EDQUOT', /quota/],
    ['EROFS', /read-only/],
    ['EIO', /input\/output/],
    ['EACCES', /owner and mode/],
    ['EMFILE', /too many files/],
    ['ENODEV', /ENODEV/],
  ] as const) {
    it(`says what an operator has to do about ${code}`, () => {
      const error = translate(errno(code), 'east') as ArtefactError;
      failsWith('Unavailable')(error);
      assert.match(error.message, reason);
      assert.match(error.message, /'east'/);
      assert.ok(!error.message.includes('secret'));
      assert.equal((error.cause as { code: string }).code, code);
    });
  }

  for (const [code, reason] of [
    ['SQLITE_FULL', /no space/],
    ['SQLITE_IOERR_FSYNC', /input\/output/],
    ['SQLITE_CORRUPT_VTAB', /damaged/],
    ['SQLITE_NOTADB', /not a database/],
    ['SQLITE_READONLY_DIRECTORY', /read-only/],
    ['SQLITE_CANTOPEN', /cannot be opened/],
    ['SQLITE_MISMATCH', /SQLITE_MISMATCH/],
  ] as const) {
    it(`says what an operator has to do about ${code}, here and from the writer thread`, () => {
      const thrown = new Database.SqliteError('at /secret/path', code);
      for (const error of [translate(thrown, 'east'), translate(fromReport(structuredClone(report(thrown))), 'east')]) {
        failsWith('Unavailable')(error);
        assert.match((error as Error).message, reason);
        assert.ok(!(error as Error).message.includes('secret'));
      }
    });
  }

  it('answers SlowDown where waiting helps', () => {
    failsWith('SlowDown')(translate(new Database.SqliteError('locked', 'SQLITE_BUSY_RECOVERY'), 'east'));
  });

  it('passes on what no disk reported', async () => {
    for (const thrown of [new TypeError('a mistake'), errno('ERR_INVALID_ARG_TYPE'), new ArtefactError('Conflict', 'taken')]) {
      await assert.rejects(
        onDisk('east', () => {
          throw thrown;
        }),
        (passed) => passed === thrown,
      );
    }
  });
});
