import assert from 'node:assert/strict';
import fc from 'fast-check';
import { turnsOf } from '../../turns.ts';
import { parseLongXml, parseXml, XML_LIMITS, type XmlElement } from '../../../src/protocols/s3/xml.ts';

const MIB = 1024 * 1024;

/** What an element holds, without its functions. */
const plain = ({ name, text, children }: XmlElement): unknown => ({ name, text, children: children.map(plain) });

/** The longest pause between two turns of the event loop while `work` goes on, in ms. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  const state = { longest: 0, last: performance.now(), over: false };
  const look = () => {
    const now = performance.now();
    state.longest = Math.max(state.longest, now - state.last);
    state.last = now;
    if (!state.over) setImmediate(look);
  };
  look();
  await work().catch(() => undefined);
  state.over = true;
  look();
  return state.longest;
}

describe('long XML documents', () => {
  it('read the same in slices as whole, wherever a slice ends', async () => {
    const references = fc.constantFrom('&lt;', '&amp;', '&#x1;', '&#13;', '&#xA;', 'x', '\r\n', 'é', '😀', ' ');
    const words = fc.array(references, { minLength: 1, maxLength: 40 }).map((parts) => parts.join(''));
    const elements = fc.array(
      words.map((word) => `<B>${word}</B>`),
      { minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(elements, fc.nat(200), async (some, shift) => {
        const body = some.join('');
        const times = Math.ceil((100 * 1024) / body.length);
        const document = Buffer.from(`<A><!--${'c'.repeat(shift)}-->${body.repeat(times)}</A>`);
        assert.deepEqual(plain(await parseLongXml(document, ['A'])), plain(parseXml(document, ['A'])));
      }),
      { numRuns: 40 },
    );
  });

  it('are refused within a slice as within a whole', async () => {
    const long = `<A>${'<B>x</B>'.repeat(20_000)}`;
    for (const end of ['', '<C></A>', '</A><A/>', '&nothing;</A>', '\u0001</A>', '<!DOCTYPE A></A>', `${'x'.repeat(20_000)}</A>`])
      await assert.rejects(parseLongXml(Buffer.from(long + end), ['A']), { code: 'MalformedBody' }, end.slice(0, 20));
    await assert.rejects(parseLongXml(Buffer.from(`${long}</A>`), ['Z']), { code: 'MalformedBody' });
  });

  it('give way in slices, of which all documents together have one in a turn', async () => {
    const document = Buffer.from(`<A>${'<B>x</B>'.repeat(5000)}</A>`);
    const alone = await turnsOf(() => parseLongXml(document, ['A']));
    const together = await turnsOf(() => Promise.all(Array.from({ length: 10 }, () => parseLongXml(document, ['A']))));
    assert.ok(alone >= 3, String(alone));
    assert.ok(together >= 20, String(together));
  });

  it('are refused before they are read where they begin with no element, nothing in them ends, or too much of a kind is in them', async () => {
    const begins: readonly (readonly [string, RegExp])[] = [
      [`<!DOCTYPE A [${'<!ENTITY a "b">'.repeat(200_000)}]><A/>`, /does not begin with an element/],
      [`<!--${' '.repeat(20_000)}--><A/>`, /does not begin with an element/],
      [`<A>${'x'.repeat(3 * MIB)}</A>`, /too long/],
      [`<A><!--${'x'.repeat(3 * MIB)}--></A>`, /too long/],
      [`<A>${'<!-- -->'.repeat(400_000)}</A>`, /too many comments/],
      [`<A>${`<B>${'&amp;'.repeat(1000)}</B>`.repeat(600)}</A>`, /too many references/],
      [`<A b="${'x'.repeat(3 * MIB)}"/>`, /does not begin|too long/],
    ];
    for (const [text, message] of begins) await assert.rejects(parseLongXml(Buffer.from(text), ['A']), { code: 'MalformedBody', message });
    const most = `<A>${'<!-- -->'.repeat(XML_LIMITS.comments)}${'<B>&#1;&lt;</B>'.repeat(XML_LIMITS.references / 2)}</A>`;
    assert.equal((await parseLongXml(Buffer.from(most), ['A'])).children.length, XML_LIMITS.references / 2);
    const text = 'ü'.repeat(XML_LIMITS.textLength);
    assert.equal((await parseLongXml(Buffer.from(`<A>${text}</A>`), ['A'])).text, text);
  });

  it('are UTF-8 to the last byte, with a mark of it at the beginning or not', async () => {
    const text = 'é😀'.repeat(3000);
    const document = Buffer.from(`<A>${text}</A>`);
    assert.equal((await parseLongXml(document, ['A'])).text, text);
    assert.equal((await parseLongXml(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), document]), ['A'])).text, text);
    for (const wrong of [Buffer.from([0xc3]), Buffer.from([0xff]), Buffer.from([0xed, 0xa0, 0x80])])
      for (const parts of [
        [document, wrong],
        [document.subarray(0, 5000), wrong, document.subarray(5000)],
      ])
        await assert.rejects(parseLongXml(Buffer.concat(parts), ['A']), { code: 'MalformedBody' });
  });

  // The limit is generous: a machine with other work takes its pauses too. Read in one go, each of these takes several times as long.
  const bombs: Readonly<Record<string, string>> = {
    'references to control characters': ('<B>' + '&#1;'.repeat(4000) + '</B>').repeat(250),
    'ten thousand parts': '<Part><PartNumber>1</PartNumber><ETag>&quot;9dd4e461268c8034f5c8564e155c67a6&quot;</ETag></Part>'.repeat(10_000),
    comments: '<!-- - - -->'.repeat(300_000),
    'a very long name': `<${'B'.repeat(3 * MIB)}/>`,
    'very many attributes': `<B ${Array.from({ length: 300_000 }, (_, n) => `a${n}=""`).join(' ')}/>`,
  };
  for (const [name, content] of Object.entries(bombs)) {
    it(`leave the event loop to others: ${name}`, async function () {
      this.retries(2);
      const document = Buffer.from(`<A>${content}</A>`);
      const whole = performance.now();
      try {
        parseXml(document, ['A']);
      } catch {
        // Some are refused, which takes its time as well.
      }
      const inOneGo = performance.now() - whole;
      const longest = await longestPause(() => parseLongXml(document, ['A']));
      assert.ok(longest < Math.max(25, inOneGo / 2), `${longest.toFixed(0)} ms, in one go ${inOneGo.toFixed(0)} ms`);
    });
  }
});
