import assert from 'node:assert/strict';
import { affordableConnections } from '../../src/main/descriptors.ts';

describe('connections that the descriptors suffice for', () => {
  it('are as many as wanted, or half of what is left', () => {
    assert.equal(affordableConnections(10_000, 1_048_576), 10_000);
    assert.equal(affordableConnections(10_000, 1024), 448);
    assert.equal(affordableConnections(100, 1024), 100);
  });

  it('are never none', () => {
    assert.equal(affordableConnections(10_000, 64), 1);
  });

  it('are asked of the system', () => {
    const most = affordableConnections(Number.MAX_SAFE_INTEGER);
    assert.ok(most > 1 && most < Number.MAX_SAFE_INTEGER, String(most));
  });
});
