import assert from 'node:assert/strict';
import { grantScopes } from '../../../../src/protocols/oci/token/grant.ts';
import { parseScopes } from '../../../../src/protocols/oci/token/scope.ts';
import type { Demand } from '../../../../src/protocols/contract.ts';

const asked: string[] = [];
const mayOnly =
  (...allowed: readonly string[]) =>
  ({ action, s3Action, resource: { bucket = '', name = '' } }: Demand): boolean => {
    asked.push(`${action} ${s3Action} ${bucket}/${name}`);
    return allowed.includes(action);
  };
const EVERYTHING = parseScopes(['repository:builds/app:*', 'registry:catalog:*']);

describe('what is granted of scopes', () => {
  beforeEach(() => {
    asked.length = 0;
  });

  it('stands for these actions on the repository', () => {
    const only = (scope: string) => grantScopes(parseScopes([scope]), () => true).limits;
    const app = { bucket: 'builds', name: 'app' };
    assert.deepEqual(only('repository:builds/app:pull'), [{ ...app, actions: ['read', 'list'] }]);
    assert.deepEqual(only('repository:builds/app:push'), [{ ...app, actions: ['create', 'overwrite'] }]);
    assert.deepEqual(only('repository:builds/app:delete'), [{ ...app, actions: ['delete'] }]);
    assert.deepEqual(only('repository:builds/app:*'), [{ ...app, actions: ['read', 'list', 'create', 'overwrite', 'delete'] }]);
    assert.deepEqual(only('registry:catalog:*'), [{ actions: ['list'] }]);
  });

  it('is asked for as it will be when it is used', () => {
    assert.deepEqual(grantScopes(EVERYTHING, mayOnly()), { limits: [], scope: '' });
    assert.deepEqual(asked, [
      ...['read s3:GetObject builds/app', 'create s3:PutObject builds/app', 'overwrite s3:PutObject builds/app'],
      ...['delete s3:DeleteObject builds/app', 'list s3:ListAllMyBuckets /'],
    ]);
  });

  it('is the part that may be done', () => {
    const scope = (...allowed: readonly string[]) => grantScopes(EVERYTHING, mayOnly(...allowed)).scope;
    assert.equal(scope('read'), 'repository:builds/app:pull');
    assert.equal(scope('list'), 'registry:catalog:*');
    assert.equal(scope('create'), 'repository:builds/app:push');
    assert.equal(scope('overwrite', 'delete'), 'repository:builds/app:push,delete');
  });
});
