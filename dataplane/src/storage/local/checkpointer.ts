/** The thread that moves pages of the write-ahead log to the database while the writer goes on; see `checkpoint.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase } from './database.ts';
import { layoutOf } from './layout.ts';
import type { WriterData } from './wire.ts';

const { directory, location } = workerData as WriterData;
const db = openDatabase(layoutOf(directory).database, location, 0);

parentPort?.on('message', (request: 'move' | 'close') => {
  if (request === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  db.pragma('wal_checkpoint(PASSIVE)');
  parentPort?.postMessage('moved');
});
