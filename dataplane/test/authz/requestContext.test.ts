import assert from 'node:assert/strict';
import { joinContexts, requestContext, tagContext } from '../../src/authz/requestContext.ts';

const HEAD = { headers: {}, query: [], remoteAddress: '192.0.2.1', secure: false } as const;

describe('the condition keys of a request', () => {
  it('are where and when it comes from, at least', () => {
    assert.deepEqual(Object.fromEntries(requestContext(HEAD, Date.UTC(2024, 4, 1))), {
      'aws:sourceip': ['192.0.2.1'],
      'aws:securetransport': ['false'],
      'aws:currenttime': ['2024-05-01T00:00:00.000Z'],
      'aws:epochtime': ['1714521600'],
    });
  });

  it('are what its headers and query say', () => {
    const headers = {
      'user-agent': 'curl/8',
      referer: 'https://a.example/',
      'x-amz-acl': 'private',
      'x-amz-storage-class': 'STANDARD',
      'x-amz-metadata-directive': 'COPY',
      'x-amz-copy-source': '/other/a%20b%2Fc?versionId=1',
      'x-amz-tagging': 'Team=a&x=%2B',
      'if-none-match': '*',
      'if-match': '"e"',
    };
    const context = requestContext(
      {
        ...HEAD,
        headers,
        query: [
          ['versionId', 'v1'],
          ['versionId', 'v2'],
        ],
        secure: true,
      },
      0,
    );
    const rest = Object.fromEntries([...context].filter(([key]) => !/time|sourceip/.test(key)));
    assert.deepEqual(rest, {
      'aws:securetransport': ['true'],
      'aws:useragent': ['curl/8'],
      'aws:referer': ['https://a.example/'],
      's3:x-amz-acl': ['private'],
      's3:x-amz-storage-class': ['STANDARD'],
      's3:x-amz-metadata-directive': ['COPY'],
      's3:x-amz-copy-source': ['other/a b/c'],
      's3:requestobjecttag/team': ['a'],
      's3:requestobjecttag/x': ['+'],
      's3:requestobjecttagkeys': ['Team', 'x'],
      's3:if-none-match': ['*'],
      's3:if-match': ['"e"'],
      's3:versionid': ['v1'],
    });
  });

  it('survive what cannot be decoded', () => {
    assert.deepEqual(requestContext({ ...HEAD, headers: { 'x-amz-copy-source': 'b/%zz' } }, 0).get('s3:x-amz-copy-source'), ['b/%zz']);
    assert.equal(tagContext([]).size, 0);
  });

  it('are replaced by what an operation knows better', () => {
    const joined = joinContexts(
      new Map([
        ['a', ['1']],
        ['b', ['1']],
      ]),
      undefined,
      new Map([['b', ['2']]]),
    );
    assert.deepEqual(Object.fromEntries(joined), { a: ['1'], b: ['2'] });
  });
});
