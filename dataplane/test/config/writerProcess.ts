/** A further process of the machine, for the test of the writer: does what it is told and says what came of it. */
import { openConfig } from '../../src/config/openConfig.ts';
import { isError } from '../../src/errors.ts';
import { silentLog } from '../../src/telemetry/log.ts';

const [data = '', manifests = '', tag = ''] = process.argv.slice(2);
const config = await openConfig({ data, manifests, issuers: [], watch: false, log: silentLog() });

async function attempt(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return isError(error, 'BucketTaken', 'SlowDown') ? error.code : String(error);
  }
}

process.on('message', (message) => {
  if (message === 'close') void config.close().then(() => process.disconnect());
  else void race(String(message)).then((outcomes) => process.send?.(outcomes));
});
process.send?.('ready');

/** One bucket that everybody wants, each for its own tenant, then one tag each on a bucket of all. */
async function race(shared: string): Promise<readonly string[]> {
  const created = await attempt(() => config.writer.createBucket(shared, `tenant-${tag}`));
  const tagged: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    tagged.push(await attempt(() => config.writer.createBucket(`own-${tag}-${count}`, `tenant-${tag}`)));
    tagged.push(await attempt(() => config.writer.updateBucket(`own-${tag}-${count}`, { tags: { by: tag } })));
  }
  return [created, ...tagged];
}
