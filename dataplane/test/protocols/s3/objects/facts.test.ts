import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { requestContext } from '../../../../src/authz/requestContext.ts';
import { headOf, openStage } from './stage.ts';
import type { Ask, Stage } from './stage.ts';

/** What a policy sees of the last demand for an S3 action: the facts of the head, with those of the demand over them. */
async function seen(stage: Stage, ask: Ask, s3Action: string): Promise<Record<string, readonly string[]>> {
  await stage.ask(ask);
  const demand = stage.asked.findLast((one) => one.s3Action === s3Action);
  assert.ok(demand, `${s3Action} was never asked for`);
  const facts = new Map([...requestContext(headOf(ask), 0), ...(demand.context ?? [])]);
  return Object.fromEntries([...facts].filter(([key, values]) => values.length > 0 && !key.startsWith('aws:')));
}

describe('facts for policies', () => {
  it('of a PUT are its headers', async () => {
    const headers = { 'x-amz-storage-class': 'STANDARD_IA', 'x-amz-tagging': 'team=a&b=2', 'x-amz-acl': 'private', 'if-none-match': '*' };
    assert.deepEqual(await seen(openStage(), { method: 'PUT', target: '/plain/k', body: 'x', headers }, 's3:PutObject'), {
      's3:x-amz-storage-class': ['STANDARD_IA'],
      's3:x-amz-acl': ['private'],
      's3:if-none-match': ['*'],
      's3:requestobjecttag/team': ['a'],
      's3:requestobjecttag/b': ['2'],
      's3:requestobjecttagkeys': ['team', 'b'],
    });
  });

  it('of a presigned PUT are in its query too', async () => {
    const target = '/plain/k?X-Amz-Signature=f00&x-amz-storage-class=STANDARD_IA&X-Amz-Tagging=team%3Db';
    const facts = await seen(openStage(), { method: 'PUT', target, body: 'x' }, 's3:PutObject');
    assert.deepEqual([facts['s3:x-amz-storage-class'], facts['s3:requestobjecttag/team']], [['STANDARD_IA'], ['b']]);
    const created = await seen(openStage(), { method: 'POST', target: `${target}&uploads` }, 's3:PutObject');
    assert.deepEqual(created, facts);
  });

  it('of a PUT are not those of a copy or of a version', async () => {
    const headers = { 'x-amz-metadata-directive': 'REPLACE' };
    assert.deepEqual(await seen(openStage(), { method: 'PUT', target: '/plain/k?versionId=1', body: 'x', headers }, 's3:PutObject'), {});
  });

  it('of a copy are the decoded source, and tags only where they replace', async () => {
    const headers = { 'x-amz-copy-source': '/plain/a+b%2B?versionId=null', 'x-amz-tagging': 'team=a' };
    const ask = { method: 'PUT', target: '/plain/to?versionId=stray', headers };
    const stage = openStage();
    await stage.put('/plain/a%20b%2B', 'x');
    assert.deepEqual(await seen(stage, ask, 's3:PutObject'), { 's3:x-amz-copy-source': ['plain/a b+'] });
    assert.deepEqual((await seen(stage, ask, 's3:GetObjectVersion'))['s3:versionid'], ['null']);
    const replacing = { ...ask, headers: { ...headers, 'x-amz-tagging-directive': 'REPLACE', 'x-amz-metadata-directive': 'COPY' } };
    const facts = await seen(stage, replacing, 's3:PutObject');
    assert.deepEqual([facts['s3:requestobjecttag/team'], facts['s3:x-amz-metadata-directive']], [['a'], ['COPY']]);
    assert.deepEqual((await seen(stage, replacing, 's3:PutObjectTagging'))['s3:requestobjecttagkeys'], ['team']);
  });

  it('of a part that is copied are the decoded source, as the copy goes by it', async () => {
    const stage = openStage();
    await stage.put('/plain/from', 'x');
    const begun = await stage.ask({ method: 'POST', target: '/plain/to?uploads' });
    const target = `/plain/to?partNumber=1&uploadId=${begun.element('UploadId')}`;
    for (const source of ['/plain/from', '%2Fplain/from', 'plain%2Ffrom?versionId=null']) {
      const facts = await seen(stage, { method: 'PUT', target, headers: { 'x-amz-copy-source': source } }, 's3:PutObject');
      assert.deepEqual(facts, { 's3:x-amz-copy-source': ['plain/from'] }, source);
    }
    const presigned = `${target}&X-Amz-Signature=f00&X-Amz-Copy-Source=plain%2Ffrom`;
    assert.deepEqual(await seen(stage, { method: 'PUT', target: presigned }, 's3:PutObject'), { 's3:x-amz-copy-source': ['plain/from'] });
  });

  it('of PutObjectTagging are the tags of the body, whatever the headers say', async () => {
    const body = '<Tagging><TagSet><Tag><Key>team</Key><Value>b</Value></Tag></TagSet></Tagging>';
    const headers = { 'x-amz-tagging': 'team=a&stray=1' };
    assert.deepEqual(await seen(openStage(), { method: 'PUT', target: '/plain/k?tagging', body, headers }, 's3:PutObjectTagging'), {
      's3:requestobjecttag/team': ['b'],
      's3:requestobjecttagkeys': ['team'],
    });
  });

  it('of DeleteObjects are those of each line, whatever head and query say', async () => {
    const bodyOf = (line: string) => `<Delete><Object><Key>k</Key>${line}</Object></Delete>`;
    const ask = (line: string): Ask => {
      const body = bodyOf(line);
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64'), 'if-match': '"stray"' };
      return { method: 'POST', target: '/plain?delete&versionId=stray', body, headers };
    };
    assert.deepEqual(await seen(openStage(), ask(''), 's3:DeleteObject'), {});
    assert.deepEqual(await seen(openStage(), ask('<ETag>"e"</ETag>'), 's3:DeleteObject'), { 's3:if-match': ['e'] });
    assert.deepEqual(await seen(openStage(), ask('<VersionId>null</VersionId>'), 's3:DeleteObjectVersion'), { 's3:versionid': ['null'] });
  });
});
