/** Requests that two servers could read in two ways, and requests that are none: each refused in S3's form, its connection closed, nothing hidden in it done. */
import assert from 'node:assert/strict';
import { makeCertificate } from '../../src/certificate.ts';
import { makeWorkspace, type Workspace } from '../../src/files.ts';
import { exchange, openLine } from '../../src/hostile/line.ts';
import { BUCKET, startOpenServer } from '../../src/hostile/openServer.ts';
import { HARMLESS, HOST, put, REFUSED } from '../../src/hostile/shapes.ts';
import type { Server } from '../../src/server.ts';

for (const scheme of ['http', 'https'] as const) {
  describe(`framing over ${scheme}`, () => {
    let server: Server;
    let work: Workspace;

    before(async () => {
      work = await makeWorkspace();
      server = await startOpenServer(scheme === 'https' ? { tls: await makeCertificate(work.folder, 'framing') } : {});
      await exchange(server, put('Content-Length: 5\r\nConnection: close\r\n', 'front'));
    });
    after(async () => {
      await server.stop();
      await work.remove();
    });
    afterEach('leaves nothing that was hidden', async () => {
      const answer = await exchange(server, `GET /${BUCKET}/smuggled HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 [\s\S]*<Code>NoSuchKey<\/Code>/);
    });

    for (const [shape, [codes, bytes]] of Object.entries(REFUSED)) {
      it(`refuses ${shape}`, async () => {
        const answer = await exchange(server, bytes);
        assert.equal(answer.match(/HTTP\/1\.1 \d{3}/g)?.length, 1, answer);
        assert.match(answer, new RegExp(`<Error><Code>(${codes})</Code>`));
        assert.match(answer, /^HTTP\/1\.1 (400|405|501) /);
        assert.match(answer, /\r\nconnection: close\r\n/i);
        const id = /\r\nx-amz-request-id: (\S+)\r\n/i.exec(answer)?.[1];
        assert.ok(id !== undefined && answer.includes(`<RequestId>${id}</RequestId>`), answer);
      });
    }

    for (const [shape, bytes] of Object.entries(HARMLESS)) {
      it(`takes ${shape} for what it is`, async () => {
        const line = await openLine(server);
        line.write(bytes);
        await line.match(/HTTP\/1\.1 \d{3} /);
        line.write(`GET /${BUCKET}/after HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
        const answer = await line.closed();
        // Either it closed, or the next request was the next request.
        const answers = answer.match(/HTTP\/1\.1 \d{3}/g) ?? [];
        assert.ok(answers.length === 1 || (answers.length === 2 && answer.includes('<Key>after</Key>')), answer);
      });
    }
  });
}
