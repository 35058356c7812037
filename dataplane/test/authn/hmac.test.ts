import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { hmacKey, hmacSha256 } from '../../src/authn/hmac.ts';

describe('HMAC-SHA256', () => {
  it('is OpenSSL’s, for keys shorter and longer than a block and for any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { minLength: 1, maxLength: 4 }), (key, texts) => {
        const ready = hmacKey(key);
        for (const text of texts.map((each) => Buffer.from(each).toString('latin1'))) {
          const expected = createHmac('sha256', key).update(text, 'latin1').digest('hex');
          assert.equal(hmacSha256(ready, text).toString('hex'), expected);
        }
      }),
    );
  });

  it('is that of RFC 4231, test case 1', () => {
    const sum = hmacSha256(hmacKey(Buffer.alloc(20, 0x0b)), 'Hi There').toString('hex');
    assert.equal(sum, 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
  });
});
