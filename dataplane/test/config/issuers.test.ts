import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readIssuers } from '../../src/config/issuers.ts';
import { isError } from '../../src/errors.ts';

describe('the file of trusted issuers', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bonded-issuers-'));
    file = join(folder, 'issuers.yaml');
  });
  after(() => rm(folder, { recursive: true }));

  const read = async (text: string): ReturnType<typeof readIssuers> => {
    await writeFile(file, text);
    return readIssuers(file);
  };

  it('is a list, in YAML or JSON; certificates are found beside it', async () => {
    const yaml = `
- issuer: https://keycloak.example/realms/dev
  audiences: [bonded]
  algorithms: [RS256]
  caFile: ca.pem
  clockSkewSeconds: 10
- issuer: http://127.0.0.1:8090/x
  audiences: [a, b]
  kubernetes: true
`;
    assert.deepEqual(await read(yaml), [
      {
        issuer: 'https://keycloak.example/realms/dev',
        audiences: ['bonded'],
        algorithms: ['RS256'],
        caFile: join(folder, 'ca.pem'),
        clockSkewSeconds: 10,
      },
      { issuer: 'http://127.0.0.1:8090/x', audiences: ['a', 'b'], kubernetes: true },
    ]);
    assert.deepEqual(await read('[{"issuer":"https://i.example","audiences":["a"]}]'), [{ issuer: 'https://i.example', audiences: ['a'] }]);
    assert.deepEqual(await read('# none yet\n'), []);
  });

  const refused: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    ['no audience', '- issuer: https://i.example\n', /issuers\.yaml:1: \[0\]\.audiences: required/],
    ['an empty list of audiences', '- issuer: https://i.example\n  audiences: []\n', /:2: \[0\]\.audiences: must NOT have fewer/],
    ['a plain address of another machine', '- audiences: [a]\n  issuer: http://i.example\n', /:2: \[0\]\.issuer: must begin with https/],
    ['a name that only looks like this machine', '- audiences: [a]\n  issuer: http://127.0.0.1.evil.example\n', /must begin with https/],
    [
      'keys over a plain connection',
      '- audiences: [a]\n  issuer: https://i.example\n  jwksUri: http://i.example/keys\n',
      /:3: \[0\]\.jwksUri: must/,
    ],
    ['a password in its address', '- audiences: [a]\n  issuer: https://a:b@i.example\n', /must have no user/],
    ['no URL', '- audiences: [a]\n  issuer: keycloak\n', /must be a URL/],
    ['a symmetric algorithm', '- audiences: [a]\n  issuer: https://i.example\n  algorithms: [HS256]\n', /:3: .*must be one of RS256/],
    ['an unknown field', '- audiences: [a]\n  issuer: https://i.example\n  audience: b\n', /:3: \[0\]\.audience: unknown field/],
    [
      'an issuer twice',
      '- {audiences: [a], issuer: "https://i.example"}\n- {audiences: [a], issuer: "https://i.example"}\n',
      /:2: \[1\]: given twice/,
    ],
    ['no list', 'issuer: https://i.example\n', /:1: must be array/],
    ['two lists', '[]\n---\n[]\n', /:3: there must be one list only/],
    ['broken YAML', '- a: [\n', /:\d: /],
  ];
  for (const [what, text, expected] of refused) {
    it(`with ${what} is refused with its line`, async () => {
      await assert.rejects(read(text), (error) => isError(error, 'InvalidArgument') && expected.test(error.message));
    });
  }

  it('that is missing is refused', async () => {
    await assert.rejects(readIssuers(join(folder, 'none.yaml')), /none\.yaml: it cannot be read \(ENOENT\)/);
  });
});
