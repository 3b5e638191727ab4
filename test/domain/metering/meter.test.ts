import { expect } from 'chai';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { checkMeter, countsAlike, METER_KEY, type MeterDefinition } from '#domain/metering/meter.ts';

const SUM: MeterDefinition = {
  name: 'Tokens',
  eventType: 'llm.request',
  aggregation: 'sum',
  value: 'tokens',
};
const codesOf = (changes: Partial<MeterDefinition>): string[] =>
  checkMeter({ ...SUM, ...changes }).map(({ pointer, code }) => `${pointer} ${code}`);
const dimensionsOf = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, 'a']));

describe('checking a meter', () => {
  for (const [what, changes, codes] of [
    ['a sum of a path', {}, []],
    ['a count without value', { aggregation: 'count', value: undefined }, []],
    ['a count with value', { aggregation: 'count' }, ['/value value_not_used']],
    ['a sum without value', { value: undefined }, ['/value value_required']],
    [
      'an aggregation that is not known',
      { aggregation: 'median' as 'sum' },
      ['/aggregation unknown_aggregation'],
    ],
    ['no name', { name: '' }, ['/name empty']],
    ['a name of 256 bytes', { name: 'é'.repeat(128) }, []],
    ['a name of 257 bytes', { name: `${'é'.repeat(128)}x` }, ['/name too_long']],
    ['an event type that no event can have', { eventType: 'use\u0000' }, ['/eventType unprintable']],
    ['a name with half a surrogate pair', { name: 'Tokens \ud800' }, ['/name unprintable']],
    ['no event type', { eventType: '' }, ['/eventType empty']],
    ['an event type with a control character', { eventType: 'a\u0000b' }, ['/eventType unprintable']],
    ['an event type of 257 bytes', { eventType: 'x'.repeat(257) }, ['/eventType too_long']],
    ['an empty value path', { value: '' }, ['/value invalid_path']],
    ['a value path with an empty segment', { value: 'a..b' }, ['/value invalid_path']],
    ['a value path with a dot at its end', { value: 'a.' }, ['/value invalid_path']],
    ['a value path of 8 segments', { value: 'a.b.c.d.e.f.g.h' }, []],
    ['a value path of 9 segments', { value: 'a.b.c.d.e.f.g.h.i' }, ['/value invalid_path']],
    ['a value path of 256 bytes', { value: 'x'.repeat(256) }, []],
    ['a value path of 257 bytes', { value: 'x'.repeat(257) }, ['/value too_long']],
    ['10 dimensions', { dimensions: dimensionsOf(10) }, []],
    ['11 dimensions', { dimensions: dimensionsOf(11) }, ['/dimensions too_many_dimensions']],
    ['a dimension named subject', { dimensions: { subject: 'a' } }, ['/dimensions/subject invalid_key']],
    ['a dimension with capitals', { dimensions: { Model: 'a' } }, ['/dimensions/Model invalid_key']],
    ['a dimension without a path', { dimensions: { model: '' } }, ['/dimensions/model invalid_path']],
    [
      'a dimension whose name needs escapes in a pointer',
      { dimensions: { 'a/~b': 'x' } },
      ['/dimensions/a~1~0b invalid_key'],
    ],
    ['a filter', { filter: 'data.model != "free"' }, []],
    ['a filter that is no CEL', { filter: 'data.model !' }, ['/filter invalid_filter']],
    ['a filter that gives no bool', { filter: '1' }, ['/filter invalid_filter']],
    ['a filter of 1025 bytes', { filter: `data.a == "${'x'.repeat(1_013)}"` }, ['/filter invalid_filter']],
  ] as const) {
    it(`${what}: ${codes.join(', ') || 'can be saved'}`, () => expect(codesOf(changes)).to.deep.equal(codes));
  }

  it('names everything that is wrong at once, and how to mend it', () => {
    const violations = checkMeter({
      name: '',
      eventType: '',
      aggregation: 'count',
      value: 'tokens',
      dimensions: { ...dimensionsOf(10), 'A B': '.' },
      filter: ')',
    });
    expect(violations.map(({ pointer, code }) => `${pointer} ${code}`)).to.deep.equal([
      '/name empty',
      '/eventType empty',
      '/value value_not_used',
      '/dimensions too_many_dimensions',
      '/dimensions/A B invalid_key',
      '/dimensions/A B invalid_path',
      '/filter invalid_filter',
    ]);
    for (const { message } of violations) expect(message).to.match(/\w{3,}/);
  });

  it('accepts every aggregation that there is', () => {
    for (const aggregation of AGGREGATIONS) {
      expect(codesOf({ aggregation, value: aggregation === 'count' ? undefined : 'tokens' })).to.deep.equal(
        [],
      );
    }
  });

  it('knows what a key may be', () => {
    for (const key of ['a', '0', 'llm.tokens_in-2', 'x'.repeat(63)])
      expect(METER_KEY.test(key), key).to.equal(true);
    for (const key of ['', '.a', '-a', '_a', 'A', 'a b', 'é', 'a\n', 'x'.repeat(64)])
      expect(METER_KEY.test(key), key).to.equal(false);
  });
});

describe('a definition saved over another', () => {
  const full: MeterDefinition = { ...SUM, dimensions: { a: 'x', b: 'y' }, filter: 'data.a == 1' };
  for (const [what, changes, alike] of [
    ['with another name', { name: 'Other' }, true],
    ['with its dimensions in another order', { dimensions: { b: 'y', a: 'x' } }, true],
    ['with another event type', { eventType: 'other' }, false],
    ['with another aggregation', { aggregation: 'max' }, false],
    ['with another value', { value: 'other' }, false],
    ['with another path of a dimension', { dimensions: { a: 'x', b: 'z' } }, false],
    ['with another name of a dimension', { dimensions: { a: 'x', c: 'y' } }, false],
    ['with paths of dimensions exchanged', { dimensions: { a: 'y', b: 'x' } }, false],
    ['without dimensions', { dimensions: undefined }, false],
    ['with another filter', { filter: 'data.a == 2' }, false],
    ['without the filter', { filter: undefined }, false],
  ] as const) {
    it(`${what} counts ${alike ? 'alike' : 'differently'}`, () => {
      expect(countsAlike(full, { ...full, ...changes })).to.equal(alike);
      expect(countsAlike({ ...full, ...changes }, full)).to.equal(alike);
    });
  }

  it('counts alike where something is absent, undefined or empty', () => {
    expect(countsAlike(SUM, { ...SUM, dimensions: {}, filter: undefined })).to.equal(true);
    expect(countsAlike({ ...SUM, dimensions: undefined }, { ...SUM, dimensions: {} })).to.equal(true);
  });
});
