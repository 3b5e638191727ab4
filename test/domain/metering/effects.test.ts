import { hash } from 'node:crypto';
import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { compileCatalogue } from '#domain/metering/catalogue.ts';
import { GROUP_BYTES_MAX, matchEvent, type Effect, type MatchResult } from '#domain/metering/effects.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { parsePlainDecimal, toDecimalString } from '#domain/metering/quantity.ts';
import { DIMENSION_VALUE_BYTES_MAX, METERS_PER_EVENT_TYPE_MAX } from '#domain/limits.ts';
import { numberTexts } from './canonical-json-texts.ts';
import { accepted, eventWith, meterVersion, parse, structured } from './sample-events.ts';

const match = (definition: Partial<MeterDefinition>, data: string): MatchResult =>
  matchEvent(compileCatalogue('default', 1, [meterVersion(definition)]), eventWith(data));

function effectOf(definition: Partial<MeterDefinition>, data: string): Effect {
  const result = match(definition, data);
  if (result.refusal) throw new Error(result.refusal.detail);
  expect(result.effects).to.have.lengthOf(1);
  return result.effects[0]!;
}

const SUM = { aggregation: 'sum', value: 'tokens' } as const;
const valueOf = (source: string): string => toDecimalString(effectOf(SUM, `{"tokens":${source}}`).value);
const reasonOf = (definition: Partial<MeterDefinition>, data: string): string | undefined =>
  match(definition, data).refusal?.reason;

describe('the value of a meter', () => {
  for (const [source, value] of [
    ['1200', '1200'],
    ['-2.50', '-2.5'],
    ['-0', '0'],
    ['1.5e3', '1500'],
    ['9007199254740993', '9007199254740993'],
    ['0.30000000000000004', '0.30000000000000004'],
    ['99999999999999999999.999999999999999999', '99999999999999999999.999999999999999999'],
    ['-99999999999999999999', '-99999999999999999999'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['1e19', '10000000000000000000'],
    ['1e-18', '0.000000000000000001'],
    ['1.0000000000000000000000', '1'],
    ['"1200"', '1200'],
    ['"0.30000000000000004"', '0.30000000000000004'],
    ['"-1.5E+3"', '-1500'],
    ['"1e-18"', '0.000000000000000001'],
    ['"007.50"', '7.5'],
    [String.raw`"\u0031"`, '1'],
    [`"0.${'0'.repeat(500)}"`, '0'],
  ] as const) {
    it(`${source.slice(0, 45)} is ${value}`, () => expect(valueOf(source)).to.equal(value));
  }

  for (const [source, reason] of [
    ['null', 'value_missing'],
    ['""', 'value_not_a_number'],
    ['"-"', 'value_not_a_number'],
    ['"abc"', 'value_not_a_number'],
    ['"NaN"', 'value_not_a_number'],
    ['"Infinity"', 'value_not_a_number'],
    ['" 1"', 'value_not_a_number'],
    ['"1 "', 'value_not_a_number'],
    ['"1\\n"', 'value_not_a_number'],
    ['"+1"', 'value_not_a_number'],
    ['".5"', 'value_not_a_number'],
    ['"1."', 'value_not_a_number'],
    ['"1,5"', 'value_not_a_number'],
    ['"1_000"', 'value_not_a_number'],
    ['"0x10"', 'value_not_a_number'],
    ['"1e"', 'value_not_a_number'],
    ['"１"', 'value_not_a_number'],
    ['true', 'value_not_a_number'],
    ['false', 'value_not_a_number'],
    ['{}', 'value_not_a_number'],
    ['{"n":1}', 'value_not_a_number'],
    ['[]', 'value_not_a_number'],
    ['[1]', 'value_not_a_number'],
    ['0.1234567890123456789', 'value_out_of_range'],
    ['1e-19', 'value_out_of_range'],
    ['100000000000000000000', 'value_out_of_range'],
    ['1e20', 'value_out_of_range'],
    ['-100000000000000000000.5', 'value_out_of_range'],
    ['"0.1234567890123456789"', 'value_out_of_range'],
    ['"1e999999"', 'value_out_of_range'],
    ['"-1e999999999999999999"', 'value_out_of_range'],
    ['"1e-999999"', 'value_out_of_range'],
    [`"${'9'.repeat(21)}"`, 'value_out_of_range'],
    [`"${'9'.repeat(60_000)}"`, 'value_out_of_range'],
    [`"1${'0'.repeat(60_000)}.${'0'.repeat(1_000)}1"`, 'value_out_of_range'],
  ] as const) {
    it(`${source.slice(0, 45)} refuses the whole event: ${reason}`, () =>
      expect(reasonOf(SUM, `{"tokens":${source}}`)).to.equal(reason));
  }

  it('is read exactly, as number and as text alike, or refused for its range', () => {
    const Exact = Decimal.clone({ precision: 200 });
    fc.assert(
      fc.property(
        numberTexts.filter((source) => !/[eE]..*\d{3}/.test(source)),
        (source) => {
          const number = new Exact(source);
          const fits = number.decimalPlaces() <= 18 && number.abs().lt('1e20');
          for (const data of fits
            ? [`{"tokens":${source}}`, `{"tokens":"${source}"}`]
            : [`{"tokens":"${source}"}`]) {
            if (fits)
              expect(toDecimalString(effectOf(SUM, data).value)).to.equal(
                number.isZero() ? '0' : number.toFixed(),
              );
            else expect(reasonOf(SUM, data)).to.equal('value_out_of_range');
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is found at a nested path and missing where the path leads nowhere', () => {
    const nested = { aggregation: 'sum', value: 'usage.total.tokens' } as const;
    expect(effectOf(nested, '{"usage":{"total":{"tokens":7}}}').value).to.equal(7);
    for (const data of [
      'null',
      '{}',
      '{"usage":null}',
      '{"usage":{"total":[{"tokens":7}]}}',
      '{"usage.total.tokens":7}',
    ]) {
      expect(match(nested, data)).to.deep.equal({
        refusal: {
          reason: 'value_missing',
          detail: 'data.usage.total.tokens, the value of meter tokens, is missing',
        },
      });
    }
  });

  it('is not looked at by count', () => {
    expect(effectOf({ aggregation: 'count' }, '{"tokens":"no number"}').value).to.equal(0);
  });
});

describe('plain decimals', () => {
  it('of any length are judged in linear time', () => {
    expect(parsePlainDecimal(`0.1${'0'.repeat(1_000_000)}1`)).to.equal('value_out_of_range');
    expect(parsePlainDecimal(`1.5${'0'.repeat(1_000_000)}`)).to.equal(1_500_000_000_000_000_000n);
    expect(parsePlainDecimal(`${'0'.repeat(1_000_000)}1`)).to.equal(1);
  });
});

describe('a unique meter', () => {
  const unique = { aggregation: 'unique', value: 'user' } as const;
  const distinctOf = (source: string): string => effectOf(unique, `{"user":${source}}`).distinct;
  const hashed = (text: string): string => hash('sha256', text, 'binary').slice(0, 16);

  it('names strings, numbers and booleans by their text', () => {
    for (const [source, text] of [
      ['"ann"', 'ann'],
      [String.raw`"\u00e9\n"`, 'é\n'],
      ['""', ''],
      ['7.50', '7.5'],
      ['"7.50"', '7.50'],
      ['true', 'true'],
      ['-0', '0'],
    ] as const) {
      expect(distinctOf(source)).to.equal(hashed(text));
    }
    expect(distinctOf('"1"')).to.equal(distinctOf('1.0'));
  });

  it('adds nothing to a sum', () => expect(effectOf(unique, '{"user":12}').value).to.equal(0));

  it('refuses a missing value and one that is no plain value', () => {
    for (const data of ['{}', '{"user":null}']) expect(reasonOf(unique, data)).to.equal('value_missing');
    for (const data of ['{"user":{}}', '{"user":["a"]}'])
      expect(reasonOf(unique, data)).to.equal('value_not_a_number');
  });
});

describe('the group of an event', () => {
  const grouped = { dimensions: { region: 'where.region', model: 'model' } };
  const groupOf = (data: string): string => effectOf(grouped, data).group;

  it('is the canonical list of its dimension values in the order of their names', () => {
    expect(groupOf('{"where":{"region":"eu"},"model":"m1"}')).to.equal('["m1","eu"]');
    expect(groupOf('{"model":"é\\"\\n"}')).to.equal(String.raw`["é\"\n",""]`);
  });

  it('is empty without dimensions', () => expect(effectOf({}, '{"model":"m1"}').group).to.equal(''));

  it('has "" for what is missing, null or empty', () => {
    for (const data of ['null', '{}', '{"model":null}', '{"model":"","where":{}}', '{"where":7}'])
      expect(groupOf(data)).to.equal('["",""]');
  });

  it('names numbers, booleans, lists and objects by their canonical text', () => {
    expect(groupOf('{"model":1.50,"where":{"region":true}}')).to.equal('["1.5","true"]');
    expect(groupOf(String.raw`{"model":["\u0041"],"where":{"region":{"b":1,"a":2}}}`)).to.equal(
      String.raw`["[\"A\"]","{\"a\":2,\"b\":1}"]`,
    );
  });

  it('is never shared by different values', () => {
    const value = fc.oneof(
      fc.constantFrom('', '"', '","', '\\', '],[', 'a', '\\"'),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
    );
    const tuple = fc.tuple(value, value);
    fc.assert(
      fc.property(tuple, tuple, (a, b) => {
        const [first, second] = [a, b].map(([model, region]) =>
          groupOf(JSON.stringify({ model, where: { region } })),
        );
        expect(first === second).to.equal(a[0] === b[0] && a[1] === b[1]);
        expect(JSON.parse(first!)).to.deep.equal(a);
      }),
      { numRuns: 1_500 },
    );
  });

  it('takes values of 256 bytes of UTF-8 and refuses the event for one more', () => {
    for (const [unit, bytes] of [
      ['a', 1],
      ['é', 2],
      ['😀', 4],
      ['"', 1],
      ['\\', 1],
      ['\u0001', 1],
    ] as const) {
      const full = unit.repeat(DIMENSION_VALUE_BYTES_MAX / bytes);
      expect(reasonOf(grouped, JSON.stringify({ model: full })), unit).to.equal(undefined);
      expect(match(grouped, JSON.stringify({ model: `${full}x` })), unit).to.deep.equal({
        refusal: {
          reason: 'too_large',
          detail: 'data.model, a dimension of meter tokens, has more than 256 bytes',
        },
      });
    }
    expect(reasonOf(grouped, JSON.stringify({ model: ['a'.repeat(253)] }))).to.equal('too_large');
  });

  it('is bounded as a whole, escapes included, since it is part of a key', () => {
    const names = Array.from({ length: 10 }, (_, i) => `d${i}`);
    const ten = { dimensions: Object.fromEntries(names.map((name) => [name, name])) };
    const dataOf = (value: string): string =>
      JSON.stringify(Object.fromEntries(names.map((name) => [name, value])));
    for (const unit of ['a', '"', '\\']) {
      expect(Buffer.byteLength(effectOf(ten, dataOf(unit.repeat(256))).group)).to.be.at.most(GROUP_BYTES_MAX);
    }
    expect(reasonOf(ten, dataOf('\u0001'.repeat(256)))).to.equal('too_large');
  });
});

describe('matching an event', () => {
  const event = eventWith('{"tokens":5,"model":"m1"}');

  it('has no effects where no meter counts its type', () => {
    const catalogue = compileCatalogue('default', 1, [meterVersion({ eventType: 'other' })]);
    expect(matchEvent(catalogue, event)).to.deep.equal({ effects: [], filterErrors: 0 });
  });

  it('runs the filter first: what it does not let through is not measured and refuses nothing', () => {
    const filtered = { ...SUM, filter: 'data.model == "m1"' };
    expect(effectOf(filtered, '{"tokens":5,"model":"m1"}').value).to.equal(5);
    expect(match(filtered, '{"tokens":"none","model":"m2"}')).to.deep.equal({ effects: [], filterErrors: 0 });
    expect(match(filtered, '{"tokens":"none"}')).to.deep.equal({ effects: [], filterErrors: 1 });
    expect(reasonOf(filtered, '{"tokens":"none","model":"m1"}')).to.equal('value_not_a_number');
  });

  it('refuses the whole event for one meter, since it counts everywhere or nowhere', () => {
    const catalogue = compileCatalogue('default', 1, [
      meterVersion(),
      meterVersion({ aggregation: 'max', value: 'missing' }, { key: 'other' }),
    ]);
    expect(matchEvent(catalogue, event).refusal?.reason).to.equal('value_missing');
  });

  it(`has an effect on each of ${METERS_PER_EVENT_TYPE_MAX} meters of one type`, () => {
    const meters = Array.from({ length: METERS_PER_EVENT_TYPE_MAX }, (_, i) =>
      meterVersion(i % 2 === 0 ? {} : SUM, { key: `m${i}` }),
    );
    const result = matchEvent(compileCatalogue('default', 1, meters), event);
    if (result.refusal) throw new Error(result.refusal.detail);
    expect(result.effects.map(({ meter, value }) => [meter.key, value])).to.deep.equal(
      meters.map(({ key }, i) => [key, i % 2 === 0 ? 0 : 5]),
    );
  });

  it('counts every filter that could not be evaluated', () => {
    const meters = [1, 2, 3].map((i) => meterVersion({ filter: 'data.missing > 1' }, { key: `m${i}` }));
    const result = matchEvent(compileCatalogue('default', 1, [...meters, meterVersion()]), event);
    expect(result.refusal === undefined && [result.effects.length, result.filterErrors]).to.deep.equal([
      1, 3,
    ]);
  });

  it('sees nothing of an event but its canonical data, so that copies written differently have the same effects', () => {
    const definition = { ...SUM, dimensions: { model: 'model' } };
    const [a, b] = [
      '{"model":"m1","tokens":5}',
      String.raw`{ "tokens": 9, "tokens":5.0, "mod\u0065l":"\u006d1" }`,
    ].map((data) => accepted(parse(structured({ data }))));
    expect(a).to.deep.equal(b);
    expect(effectOf(definition, a!.data)).to.deep.include({ value: 5, group: '["m1"]' });
  });
});
