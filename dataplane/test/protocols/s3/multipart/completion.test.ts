import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PartClaim } from '../../../../src/core/core.ts';
import { isError } from '../../../../src/errors.ts';
import { readPartClaims, readWholeChecksum } from '../../../../src/protocols/s3/multipart/completion.ts';
import { parseXml } from '../../../../src/protocols/s3/xml.ts';
import { turnsOf } from '../../../turns.ts';

const read = async (xml: string) => readPartClaims(parseXml(Buffer.from(xml), ['CompleteMultipartUpload']));

describe('completion documents', () => {
  it('ETags come with and without quotes, numbers with white space', async () => {
    const xml = `<CompleteMultipartUpload>
      <Part><ETag>&quot;abc&quot;</ETag><PartNumber> 1 </PartNumber></Part>
      <Part><PartNumber>2</PartNumber><ETag>def</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumSHA1></ChecksumSHA1></Part>
    </CompleteMultipartUpload>`;
    assert.deepEqual(await read(xml), [
      { number: 1, etag: 'abc', checksums: {} },
      { number: 2, etag: 'def', checksums: { CRC32: 'AAAAAA==' } },
    ]);
  });

  it('10,000 parts with checksums are read', async () => {
    const part = (n: number) =>
      `<Part><PartNumber>${n}</PartNumber><ETag>"${'0'.repeat(32)}"</ETag><ChecksumSHA256>${'A'.repeat(43)}=</ChecksumSHA256></Part>`;
    const xml = `<CompleteMultipartUpload>${Array.from({ length: 10_000 }, (_, n) => part(n + 1)).join('')}</CompleteMultipartUpload>`;
    assert.ok(xml.length < 4 * 1024 * 1024);
    const document = parseXml(Buffer.from(xml), ['CompleteMultipartUpload']);
    let claims: readonly PartClaim[] = [];
    const turns = await turnsOf(async () => (claims = await readPartClaims(document)));
    assert.equal(claims.length, 10_000);
    assert.ok(turns >= 3, `others had ${turns} turns`);
  });

  it('any document is claims or a refusal', async () => {
    const tag = fc.constantFrom('PartNumber', 'ETag', 'ChecksumCRC32', 'Part', 'Other');
    const part = fc.array(fc.tuple(tag, fc.oneof(fc.string(), fc.nat().map(String))), { maxLength: 5 });
    const document = fc.array(part, { maxLength: 5 }).map((parts) => {
      const inner = parts.map(
        (fields) => `<Part>${fields.map(([name, text]) => `<${name}>${text.replace(/[&<>]/g, '')}</${name}>`).join('')}</Part>`,
      );
      return `<CompleteMultipartUpload>${inner.join('')}</CompleteMultipartUpload>`;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(document, fc.string()), async (xml) => {
        try {
          for (const { number } of await read(xml)) assert.ok(Number.isInteger(number) && number >= 1 && number <= 10_000);
        } catch (error) {
          assert.ok(isError(error, 'MalformedBody', 'InvalidArgument'), String(error));
        }
      }),
    );
  });

  it('composite checksums are understood with and without their count', () => {
    const value = 'AAAAAA==';
    const composite = { algorithm: 'CRC32', type: 'COMPOSITE', value: 'AAAAAA==-3' };
    assert.deepEqual(readWholeChecksum({ 'x-amz-checksum-crc32': 'AAAAAA==-3' }, 3), composite);
    assert.deepEqual(readWholeChecksum({ 'x-amz-checksum-crc32': value, 'x-amz-checksum-type': 'COMPOSITE' }, 3), composite);
    assert.deepEqual(readWholeChecksum({ 'x-amz-checksum-crc32': value }, 3), { algorithm: 'CRC32', type: 'FULL_OBJECT', value });
    assert.equal(readWholeChecksum({ 'x-amz-checksum-type': 'COMPOSITE', 'x-amz-checksum-algorithm': 'CRC32' }, 3), undefined);
  });

  it('any checksum field is a checksum or a refusal', () => {
    fc.assert(
      fc.property(fc.constantFrom('crc32', 'sha256', 'md5', 'x'), fc.oneof(fc.string(), fc.base64String()), (name, value) => {
        try {
          const checksum = readWholeChecksum({ [`x-amz-checksum-${name}`]: value }, 2);
          assert.match(checksum!.value, /^[A-Za-z0-9+/]+={0,2}(-\d+)?$/);
        } catch (error) {
          assert.ok(isError(error, 'InvalidRequest'), String(error));
        }
      }),
    );
  });
});
