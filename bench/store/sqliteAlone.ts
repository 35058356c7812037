/**
 * What SQLite alone reaches: the same tables and settings, the very rows that one PUT makes (its blob's, and its records: digest,
 * reference, name and journal entry, each as long as there), the same number of PUTs in each commit, each with its sync, and the log
 * moved to the database as often. One writer, and nothing around it: the rows are made, and the batch begun, off the clock.
 */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DUE_PAGES } from '../../dataplane/src/storage/local/checkpoint.ts';
import { layoutOf } from '../../dataplane/src/storage/local/layout.ts';
import { openDatabase } from '../../dataplane/src/storage/local/database.ts';
import type { Server } from '../../e2e/src/server.ts';
import { percentile } from '../figures.ts';
import type { Outcome } from '../wrk.ts';

interface Row {
  readonly key: string;
  readonly value: string;
  readonly revision: string;
}

/** The rows that one PUT left in a server's database. */
export interface Sample {
  readonly name: string;
  readonly digest: string;
  readonly rows: readonly Row[];
  /** Of the small blob; its id looks like this. */
  readonly blobId: string;
  readonly size: number;
}

interface Put {
  readonly blobId: string;
  readonly bytes: Buffer;
  readonly rows: readonly Row[];
}

export interface SqliteAlone {
  /** Writes for so many seconds, each commit with the records of `group` PUTs; a latency is that of a commit. */
  write(group: number, seconds: number): Outcome;
  close(): void;
}

/** Makes a PUT and looks which rows came of it. */
export async function sampleOf(server: Server, bucket: string, size: number): Promise<Sample> {
  const file = layoutOf(join(server.dataFolder, 'objects')).database;
  const db = openDatabase(file, 'measured', 0);
  try {
    const last = (table: string) => Number(db.prepare(`SELECT max(rowid) FROM ${table}`).pluck().get());
    const [records, blobs] = [last('records'), last('blobs')];
    const body = randomBytes(size);
    const name = `sample-of-one-put`;
    const { status } = await fetch(`${server.url}/${bucket}/${name}`, { method: 'PUT', body });
    const rows = db.prepare<[number], Row>('SELECT key, value, revision FROM records WHERE rowid > ? ORDER BY rowid').all(records);
    const blobIds = db.prepare<[number], string>('SELECT id FROM blobs WHERE rowid > ?').pluck().all(blobs);
    const [blobId] = blobIds;
    const digest = createHash('sha256').update(body).digest('hex');
    if (status !== 200 || blobId === undefined || blobIds.length !== 1 || !rows.some(({ key }) => key === `digest/${digest}`))
      throw new Error(`One PUT (${status}) came to ${rows.length} records and ${blobIds.length} blobs.`);
    return { name, digest, rows, blobId, size };
  } finally {
    db.close();
  }
}

/** Opens a database as the store does, in an empty directory. */
export function openSqliteAlone(directory: string, sample: Sample): SqliteAlone {
  const db = openDatabase(layoutOf(directory).database, 'alone', 0);
  db.pragma(`wal_autocheckpoint = ${DUE_PAGES}`);
  const insert = db.prepare('INSERT INTO records (key, value, revision) VALUES (?, ?, ?)');
  const insertBlob = db.prepare('INSERT INTO blobs (id, bytes) VALUES (?, ?)');
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];
  const body = randomBytes(sample.size);
  let count = 0;

  /** Made before the clock runs: it is SQLite that is measured. */
  function nextPut(): Put {
    const n = String(count++).padStart(9, '0');
    const bytes = Buffer.from(body);
    bytes.write(n);
    const fresh = renewer(sample, n, createHash('sha256').update(n).digest('hex'));
    const rows = sample.rows.map(({ key, value, revision }) => ({ key: fresh(key), value: fresh(value), revision }));
    return { blobId: fresh(sample.blobId), bytes, rows };
  }

  function commitAll(puts: readonly Put[]): void {
    begin.run();
    for (const { blobId, bytes, rows } of puts) {
      insertBlob.run(blobId, bytes);
      for (const { key, value, revision } of rows) insert.run(key, value, revision);
    }
    commit.run();
  }

  return {
    write(group, seconds) {
      const times: number[] = [];
      let took = 0;
      while (took < seconds * 1000) {
        const puts = Array.from({ length: group }, nextPut);
        const began = performance.now();
        commitAll(puts);
        times.push(performance.now() - began);
        took += times.at(-1) ?? 0;
      }
      const at = (share: number) => percentile(times, share);
      const requests = times.length * group;
      return { requests, seconds: took / 1000, bytes: 0, failed: 0, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
    },
    close: () => db.close(),
  };
}

/** Text of the sample as that of another PUT, just as long: another name, another digest, later ids. */
function renewer({ name, digest, rows, blobId }: Sample, n: string, otherDigest: string): (text: string) => string {
  const journal = rows.find(({ key }) => key.startsWith('journal/'))?.key.slice('journal/'.length) ?? '';
  const later = (id: string) => id.slice(0, -n.length) + n;
  const otherName = later(name.padStart(n.length));
  return (text) =>
    text.replaceAll(digest, otherDigest).replaceAll(name, otherName).replaceAll(blobId, later(blobId)).replaceAll(journal, later(journal));
}
