/** The writer thread of a location: opens its own connection, performs groups of batches, and tidies the log between them. */
import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { giveBackWhenQuiet } from '../../quiet.ts';
import { openCheckpoints } from './checkpoint.ts';
import { openCommitter } from './commit.ts';
import { openDatabase } from './database.ts';
import { report } from './failure.ts';
import { layoutOf, pathOf } from './layout.ts';
import { openStanding } from './standing.ts';
import type { WriterData, WriterReply, WriterRequest } from './wire.ts';

if (parentPort) serve(parentPort, workerData as WriterData);

function serve(port: MessagePort, data: WriterData): void {
  const answer = (reply: WriterReply): void => port.postMessage(reply);
  try {
    const perform = open(data);
    port.on('message', (request: WriterRequest) => {
      if (request === 'close') void perform.close().finally(() => port.close());
      else perform.group(request, answer);
    });
    // Its heap is its own: nobody else's collections give anything of it back.
    giveBackWhenQuiet();
    answer('ready');
  } catch (thrown) {
    answer({ unusable: report(thrown) });
    port.close();
  }
}

function open(data: WriterData) {
  const layout = layoutOf(data.directory);
  const stillStanding = openStanding(layout, data.location, data.marks);
  stillStanding();
  // No waiting inside SQLite: `whenLockIsFree` waits more fairly.
  const db = openDatabase(layout.database, data.location, 0);
  const commit = openCommitter(db, { location: data.location, fileExists: (id) => existsSync(pathOf(layout, id)), stillStanding });
  const checkpoints = openCheckpoints(db, data);
  return {
    group({ batches }: Exclude<WriterRequest, 'close'>, answer: (reply: WriterReply) => void): void {
      answer({ outcomes: commit(batches) });
      checkpoints.afterCommit();
    },
    async close(): Promise<void> {
      await checkpoints.close();
      db.close();
    },
  };
}
