/** boto3: the steps are in e2e/python/store.py, each on a bucket that all share. */
import { makeWorkspace, type Workspace } from '../src/files.ts';
import { startServer, type Server } from '../src/server.ts';
import { runStep, stepsOf } from '../src/steps.ts';

const steps = await stepsOf('store.py');

describe('boto3', () => {
  let server: Server;
  let work: Workspace;

  before(async () => {
    server = await startServer();
    work = await makeWorkspace();
  });
  after(async () => {
    await server.stop();
    await work.remove();
  });

  for (const step of steps) {
    it(step.replaceAll('_', ' '), async () => {
      await runStep('store.py', step, { env: { ...server.awsEnv, ENDPOINT: server.url }, cwd: work.folder });
    });
  }
});
