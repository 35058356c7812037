/** The writer thread of a location: opens its own connection, performs groups of batches, and tidies the log between them. */
import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { checkpointWhenDue } from './checkpoint.ts';
import { openCommitter } from './commit.ts';
import { openDatabase } from './database.ts';
import { report } from './failure.ts';
import { layoutOf, pathOf } from './layout.ts';
import type { WriterData, WriterReply, WriterRequest } from './wire.ts';

const { directory, location } = workerData as WriterData;
const port = parentPort;
if (port) serve((reply) => port.postMessage(reply));

function serve(answer: (reply: WriterReply) => void): void {
  try {
    const layout = layoutOf(directory);
    // No waiting inside SQLite: `whenLockIsFree` waits more fairly.
    const db = openDatabase(layout.database, location, 0);
    const commit = openCommitter(db, { location, fileExists: (id) => existsSync(pathOf(layout, id)) });
    port?.on('message', (request: WriterRequest) => {
      if (request === 'close') {
        db.close();
        port.close();
        return;
      }
      answer({ outcomes: commit(request.batches) });
      checkpointWhenDue(db);
    });
    answer('ready');
  } catch (thrown) {
    answer({ unusable: report(thrown) });
    port?.close();
  }
}
