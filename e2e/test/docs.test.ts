/** What the documents tell people to type works, and prints what they say. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { makeWorkspace, type Workspace } from '../src/files.ts';
import { CHECKOUT, startServer, type Server } from '../src/server.ts';
import { attempt } from '../src/shell.ts';
import { commandsOf, missingLine, type Command } from '../src/transcript.ts';

const MARK = '<!-- run';

/** The README, every guide, and whatever other document has something to run. */
const documents = readdirSync(`${CHECKOUT}/docs`, { recursive: true, encoding: 'utf8' })
  .map((name) => `docs/${name}`)
  .filter(
    (path) => path.endsWith('.md') && (path.startsWith('docs/guides/') || readFileSync(`${CHECKOUT}/${path}`, 'utf8').includes(MARK)),
  );

describe('documents', () => {
  for (const document of ['README.md', ...documents]) {
    describe(document, () => {
      let server: Server;
      let work: Workspace;

      before(async () => {
        server = await startServer({ withSamples: true });
        work = await makeWorkspace();
        // A checkout as its reader sees it, with the folders of this server in the place of its own.
        await symlink(server.dataFolder, work.at('data'));
        await mkdir(work.at('config'));
        await symlink(server.manifestsFolder, work.at('config/standalone'));
        for (const name of ['docs', 'examples', 'README.md']) await symlink(`${CHECKOUT}/${name}`, work.at(name));
      });
      after(async () => {
        await server.stop();
        await work.remove();
      });

      it('runs as written', async () => {
        const commands = commandsOf(await readFile(`${CHECKOUT}/${document}`, 'utf8'));
        assert.ok(commands.length > 0, 'no transcript marked with <!-- run -->');
        const outcomes = await runAll(commands);
        assert.equal(outcomes.length, commands.length, `the shell ended after ${outcomes.length} commands`);
        for (const [index, { code, output }] of outcomes.entries()) {
          const { line, text, expected, refused } = commands[index] as Command;
          const where = `${document}:${line}: ${text}\n${output}`;
          assert.equal(code !== 0, refused, `${where}\nended with ${code}`);
          const missing = missingLine(expected, output);
          assert.equal(missing, undefined, `${where}\ndid not print: ${missing}`);
        }
      });

      /** Runs commands in one shell, on the ports of this server; answers what each printed and how it ended. */
      async function runAll(commands: readonly Command[]): Promise<{ code: number; output: string }[]> {
        const mark = randomUUID();
        const script = commands.map(({ text }) => `${onThisServer(text)}\nprintf '\\n%s %s\\n' ${mark} $?`).join('\n');
        const { stdout } = await attempt(['bash', '-c', `exec 2>&1\n${script}`], { cwd: work.folder, env: readerEnv() });
        return [...stdout.matchAll(new RegExp(`([\\s\\S]*?)\\n${mark} (\\d+)\\n`, 'g'))].map(([, output = '', code]) => ({
          output,
          code: Number(code),
        }));
      }

      const onThisServer = (text: string) =>
        text
          .replaceAll('http://127.0.0.1:8080', server.url)
          .replaceAll('127.0.0.1:8080', server.host)
          .replaceAll('http://127.0.0.1:9464', server.metricsUrl);

      const readerEnv = () => ({ PATH: `${CHECKOUT}/.tools/venv/bin:${process.env.PATH ?? ''}`, HOME: work.folder, LC_ALL: 'C.UTF-8' });
    });
  }
});
