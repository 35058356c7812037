import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ArtefactError, isError } from '../../../src/errors.ts';
import { allowOnly, parseXml, renderPlainXml, renderXml, XML_LIMITS } from '../../../src/protocols/s3/xml.ts';

const read = (text: string, root = 'A') => parseXml(Buffer.from(text), [root]);
const refuses = (text: string | Uint8Array) =>
  assert.throws(
    () => parseXml(Buffer.from(text), ['A']),
    (error) => isError(error, 'MalformedBody'),
    String(text),
  );

describe('S3 XML, written', () => {
  it('has a declaration, the namespace and elements in order', () => {
    const xml = renderXml('ListBucketResult', {
      Name: 'b',
      IsTruncated: false,
      MaxKeys: 3,
      NextMarker: undefined,
      Contents: [{ Key: 'x' }, { Key: 'y' }],
    });
    assert.equal(
      xml,
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        '<Name>b</Name><IsTruncated>false</IsTruncated><MaxKeys>3</MaxKeys><Contents><Key>x</Key></Contents><Contents><Key>y</Key></Contents></ListBucketResult>',
    );
  });

  it('gives errors no namespace', () => {
    assert.equal(renderPlainXml('Error', { Code: 'X' }), '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>X</Code></Error>');
  });

  it('takes a value as the whole document, attributes, and different elements in the order of an array', () => {
    assert.match(renderXml('LocationConstraint', 'eu'), /<LocationConstraint xmlns="[^"]+">eu<\/LocationConstraint>$/);
    assert.match(renderXml('LocationConstraint', undefined), /<LocationConstraint xmlns="[^"]+"><\/LocationConstraint>$/);
    assert.match(renderPlainXml('G', { '@xsi:type': 'a"b\n', ID: 1 }), /<G xsi:type="a&quot;b&#xa;"><ID>1<\/ID><\/G>$/);
    assert.match(
      renderPlainXml('L', { N: 1, '': [{ Version: 'v' }, { DeleteMarker: 'd' }, { Version: 'w' }] }),
      /<N>1<\/N><Version>v<\/Version><DeleteMarker>d<\/DeleteMarker><Version>w<\/Version>/,
    );
  });

  it('escapes markup, and writes control characters as references', () => {
    assert.match(renderPlainXml('A', '<&>"\r\u0001\u001f\ufffe'), /<A>&lt;&amp;&gt;&quot;&#xd;&#x1;&#x1f;&#xfffe;<\/A>/);
    assert.match(renderPlainXml('A', 'a\ud800b\u0000'), /<A>a\ufffdb\ufffd<\/A>/);
  });
});

describe('S3 XML, read', () => {
  it('gives elements by local name, with text just as written', () => {
    const root = read('<?xml version="1.0" encoding="UTF-8"?><s3:A xmlns:s3="urn:x"><s3:B> b &amp; c </s3:B><B>2</B><C/></s3:A>');
    assert.deepEqual(
      root.all('B').map(({ text }) => text),
      [' b & c ', '2'],
    );
    assert.equal(root.required('C').text, '');
    assert.equal(root.child('D'), undefined);
  });

  it('refuses a missing element, and a repeated one where one is meant', () => {
    const root = read('<A><B/><B/></A>');
    assert.throws(() => root.child('B'), { code: 'MalformedBody' });
    assert.throws(() => root.required('Z'), { code: 'MalformedBody' });
    assert.throws(() => allowOnly(root, ['C']), { code: 'MalformedBody' });
  });

  it('reads references to control characters, which S3 writes and XML 1.0 forbids', () => {
    assert.equal(read('<A>&#x1;&#2;&#x001F;&#xFFFF;</A>').text, '\u0001\u0002\u001f\uffff');
    refuses('<A>&#0;</A>');
    refuses('<A>\u0001</A>');
    assert.equal(read('<A><![CDATA[&#x1;]]></A>').text, '&#x1;');
  });

  it('keeps line ends that are written as references, and U+0085 and U+2028 as they are', () => {
    assert.equal(read('<A>&#13;&#xA;\u0085\u2028</A>').text, '\r\n\u0085\u2028');
  });

  it('refuses what reaches out of the document', () => {
    refuses('<!DOCTYPE A [<!ENTITY x SYSTEM "file:///etc/passwd">]><A>&x;</A>');
    refuses('<!DOCTYPE A><A/>');
    refuses('<A>&unknown;</A>');
    refuses('<?xml-stylesheet href="x"?><A/>');
    refuses('<A><?php x ?></A>');
  });

  it('refuses what is not well-formed, not UTF-8, or has another root', () => {
    for (const text of ['', ' ', '<A>', '<A></B>', '<A/><A/>', 'A', '<A b></A>', '<A/>x', '<B/>', '{"A":1}']) refuses(text);
    refuses(Buffer.from([0x3c, 0x41, 0x3e, 0xff, 0x3c, 0x2f, 0x41, 0x3e]));
    refuses('<?xml version="1.0" encoding="ISO-8859-1"?><A/>');
    refuses('<A>text<B/></A>');
  });

  it('has limits on depth, elements, attributes, names and text', () => {
    const nested = (depth: number) => '<A>'.repeat(depth) + '</A>'.repeat(depth);
    assert.ok(read(nested(XML_LIMITS.depth)));
    refuses(nested(XML_LIMITS.depth + 1));
    const wide = (count: number) => `<A>${'<B/>'.repeat(count)}</A>`;
    assert.equal(read(wide(XML_LIMITS.elements - 1)).children.length, XML_LIMITS.elements - 1);
    refuses(wide(XML_LIMITS.elements));
    refuses(`<A ${Array.from({ length: XML_LIMITS.attributes + 1 }, (_, index) => `a${index}=""`).join(' ')}/>`);
    refuses(`<A><${'B'.repeat(XML_LIMITS.nameLength + 1)}/></A>`);
    refuses(`<A>${'x'.repeat(XML_LIMITS.textLength + 1)}</A>`);
    refuses(`<A>${'<![CDATA[xxxxxxxx]]>'.repeat(XML_LIMITS.textLength / 8 + 1)}</A>`);
  });

  it('answers any bytes with an element or MalformedBody', () => {
    const parse = (bytes: Uint8Array) => {
      try {
        assert.equal(parseXml(bytes, ['A']).name, 'A');
      } catch (error) {
        assert.ok(error instanceof ArtefactError && error.code === 'MalformedBody', String(error));
      }
    };
    const pieces = fc.constantFrom(
      '<A>',
      '</A>',
      '<A/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&',
      '#',
      'x1;',
      '&lt;',
      '<?',
      '?>',
      '<!',
      '"',
      '=',
      ' a',
      '\ud83d',
      '\ufeff',
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), parse));
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 30 }), (parts) =>
        parse(Buffer.from(parts.join(''))),
      ),
      { numRuns: 500 },
    );
  });

  it('reads back what it wrote, whatever the text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 50 }).filter((value) => !value.includes('\0') && value.isWellFormed());
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        const root = parseXml(Buffer.from(renderXml('A', { T: texts })), ['A']);
        assert.deepEqual(
          root.all('T').map((element) => element.text),
          texts,
        );
      }),
      { numRuns: 500 },
    );
  });
});
