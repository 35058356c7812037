import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatScope, parseScopes, REPOSITORY_ACTIONS, type RepositoryScope } from '../../../../src/protocols/oci/token/scope.ts';
import { ArtefactError } from '../../../../src/errors.ts';
import { refused } from '../../../authn/requests.ts';

const app = (...actions: RepositoryScope['actions']) => ({ kind: 'repository', bucket: 'builds', name: 'app', actions });

describe('scopes', () => {
  it('are a type, a name and actions', () => {
    assert.deepEqual(parseScopes(['repository:builds/app:pull']), [app('pull')]);
    assert.deepEqual(parseScopes(['repository:builds/app:push,pull']), [app('pull', 'push')]);
    assert.deepEqual(parseScopes(['repository:builds/app:*']), [app('pull', 'push', 'delete')]);
    assert.deepEqual(parseScopes(['repository(plugin):builds/app:delete']), [app('delete')]);
    assert.deepEqual(parseScopes(['repository:builds/a/b.c/d__e/f---g:pull']), [
      { kind: 'repository', bucket: 'builds', name: 'a/b.c/d__e/f---g', actions: ['pull'] },
    ]);
    assert.deepEqual(parseScopes(['registry:catalog:*']), [{ kind: 'catalogue' }]);
  });

  it('come several at once, one repository once', () => {
    const expected = [app('pull', 'push'), { kind: 'catalogue' }, { ...app('pull'), name: 'base' }];
    const texts = ['repository:builds/app:pull', 'registry:catalog:*', 'repository:builds/base:pull', 'repository:builds/app:push'];
    assert.deepEqual(parseScopes(texts), expected);
    assert.deepEqual(parseScopes([texts.join(' ')]), expected);
    assert.deepEqual(parseScopes([`  ${texts.slice(0, 2).join('  ')} `, texts.slice(2).join(' '), '']), expected);
    assert.deepEqual(parseScopes([]), []);
  });

  it('that nobody can be granted are passed over', () => {
    const odd = [
      ...['', 'x', 'repository', 'repository:builds/app', 'repository:builds/app:', 'repository:builds/app:fly', 'image:builds/app:pull'],
      ...['repository:builds:pull', 'repository::pull', 'repository:/app:pull', 'repository:builds/:pull', 'repository:builds//app:pull'],
      ...['repository:builds/../secret:pull', 'repository:builds/APP:pull', 'repository:builds/app%2fx:pull', 'repository:builds/-a:pull'],
      ...['repository:host:5000/builds/app:pull', 'repository:builds/app:PULL', 'repository:builds/äpp:pull', 'repository:builds/*:pull'],
      ...[
        'registry:catalog:list',
        'registry:other:*',
        'Repository:builds/app:pull',
        'repository:builds/a___b:pull',
        'repository:builds/a._b:pull',
      ],
      ...[`repository:${'b'.repeat(64)}/app:pull`, `repository:builds/${'a'.repeat(1025)}:pull`],
    ];
    for (const text of odd) assert.deepEqual(parseScopes([text]), [], text);
    assert.deepEqual(parseScopes(['repository:builds/app:fly,pull,', 'nonsense']), [app('pull')]);
  });

  it('are refused when they are too many or too long', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `repository:builds/a${n}:pull`);
    assert.equal(parseScopes(many(100)).length, 100);
    await refused(() => parseScopes(many(101)), 'InvalidArgument', /100/);
    await refused(() => parseScopes([many(101).join(' ')]), 'InvalidArgument', /100/);
    assert.deepEqual(parseScopes([`x${'a'.repeat(4095)}`]), []);
    await refused(() => parseScopes([`x${'a'.repeat(4096)}`]), 'InvalidArgument', /4096/);
  });

  it('come back as they were written', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}$/);
    const fields = {
      kind: fc.constant('repository' as const),
      bucket: component,
      name: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      actions: fc.subarray([...REPOSITORY_ACTIONS], { minLength: 1 }),
    };
    const scope = fc.record(fields, { noNullPrototype: true });
    const scopes = fc.uniqueArray(fc.oneof(scope, fc.constant({ kind: 'catalogue' as const })), {
      selector: (each) => (each.kind === 'repository' ? `${each.bucket}/${each.name}` : ''),
    });
    fc.assert(
      fc.property(scopes, (list) => {
        assert.deepEqual(parseScopes(list.map(formatScope)), list);
        assert.deepEqual(parseScopes([list.map(formatScope).join(' ')]), list);
      }),
    );
  });

  it('of any text name only what a registry can hold, and fail only with an ArtefactError', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('repository', 'registry', ':', '/', 'a', 'pull', ',', '*', '(', ')', ' ', '..', '-', '_'),
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        try {
          for (const scope of parseScopes(texts)) {
            if (scope.kind === 'repository') assert.match(`${scope.bucket}/${scope.name}`, /^[a-z0-9]+([._/-]+[a-z0-9]+)+$/);
            assert.deepEqual(parseScopes([formatScope(scope)]), [scope]);
          }
        } catch (error) {
          if (!(error instanceof ArtefactError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('take no longer for hostile names', () => {
    const began = process.cpuUsage();
    for (const hostile of ['a-', 'a_', 'a', 'a--', 'a__', 'a.'])
      parseScopes([`repository:builds/${hostile.repeat(2000)}!:pull`.slice(0, 4096)]);
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 500_000, `${user + system} µs`);
  });
});
