import assert from 'node:assert/strict';
import { isMet, percentile, peerOf, ratioOf, ratios, type Figure } from '../figures.ts';
import { withResults } from '../report.ts';
import { documentOf, type Results } from '../results.ts';
import { table } from '../table.ts';

const figure = (more: Partial<Figure>): Figure => ({
  section: 'small',
  name: 'PUT',
  value: 40,
  unit: '/s',
  runs: [40],
  peers: [],
  ...more,
});
const atLeast = { of: 'ratio', is: 'at least', limit: 0.5 } as const;

const results = (figures: readonly Figure[], more: Partial<Results> = {}): Results => ({
  at: '2030-01-02T03:04:05.000Z',
  quick: false,
  machine: { commit: 'abc1234', loadBefore: 0.1, node: 'v24.0.0', cores: 2, processor: 'P', memoryGiB: 8 },
  figures,
  ...more,
});

describe('figures', () => {
  it('hold each run against the peer of the same round', () => {
    const paired = figure({ value: 30, runs: [10, 30, 50], peers: [peerOf('nginx', [10, 60, 50])] });
    assert.deepEqual(ratios(paired), [1, 0.5, 1]);
    assert.equal(ratioOf(paired), 1);
  });

  it('hold the median against the peer where runs are not paired', () => {
    assert.deepEqual(ratios(figure({ runs: [30, 40, 50], peers: [{ name: 'disk', value: 80 }] })), [0.5]);
    assert.equal(ratioOf(figure({})), undefined);
  });

  it('keep a target at its limit or not, as it says, and no target by what was not measured', () => {
    const half = { peers: [{ name: 'nginx', value: 80 }] };
    assert.equal(isMet(figure({ ...half, target: atLeast })), true);
    assert.equal(isMet(figure({ ...half, value: 39, runs: [39], target: atLeast })), false);
    assert.equal(isMet(figure({ target: { of: 'value', is: 'at most', limit: 40 } })), true);
    assert.equal(isMet(figure({ target: { of: 'value', is: 'below', limit: 40 } })), false);
    assert.equal(isMet(figure({})), undefined);
    assert.equal(isMet(figure({ target: atLeast })), false);
    assert.equal(isMet(figure({ value: NaN, target: { of: 'value', is: 'below', limit: 40 } })), false);
  });

  it('know the percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => percentile(hundred, share)),
      [50, 99, 100],
    );
    assert.ok(Number.isNaN(percentile([], 0.5)));
  });

  it('are told to other readers with what follows from them', () => {
    const [told] = documentOf(results([figure({ peers: [peerOf('nginx', [80])], target: atLeast })])).figures;
    assert.deepEqual({ ...told }, { ...told, ratio: 0.5, ratios: [0.5], met: true });
  });
});

describe('the table of figures', () => {
  it('fits 100 columns, whatever is in it, and has no colours outside a terminal', () => {
    const long = figure({
      name: 'a name that takes more room than its column has to give',
      value: 123_456_789,
      runs: [123_456_789, 1],
      peers: [peerOf('something with a name', [1, 123_456_789])],
      target: atLeast,
      details: Array.from({ length: 12 }, (_, n) => ({ name: `detail ${n}`, value: n * 1000, unit: 'CPU µs each' })),
    });
    const text = table([figure({ peers: [peerOf('nginx', [80])], target: atLeast }), long]);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 100),
      [],
    );
    assert.ok(!text.includes('\u001b'));
    assert.match(text, /PUT +40\.0 \/s +nginx 80\.0 +0\.50 +≥ 0\.5 × yes$/m);
  });
});

describe('the page of measurements', () => {
  it('has the newest results of each section between its marks, and all else as it was', () => {
    const old = results([figure({ name: 'old' }), figure({ section: 'list', name: 'kept' })]);
    const page = withResults('before\n<!-- bench -->\nolder\n<!-- /bench -->\nafter\n', [old, results([figure({ name: 'new' })])]);
    assert.match(page, /^before\n<!-- bench -->\n/);
    assert.match(page, /<!-- \/bench -->\nafter\n$/);
    assert.deepEqual(
      ['new', 'kept', 'old', 'older'].map((name) => page.includes(`${name} |`)),
      [true, true, false, false],
    );
    assert.throws(() => withResults('no marks', []), /no <!-- bench -->/);
  });
});
