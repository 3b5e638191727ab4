import { expect } from 'chai';
import fc from 'fast-check';
import { LOOP_ITEMS_MAX } from '#domain/metering/filter-bounds.ts';
import { compileFilter, type FilterOutcome } from '#domain/metering/filter.ts';
import { FILTER_BYTES_MAX } from '#domain/limits.ts';

const faultOf = (expression: string): string | undefined => {
  const compiled = compileFilter(expression);
  return 'fault' in compiled ? compiled.fault : undefined;
};
function outcomeOf(expression: string, data: string): FilterOutcome {
  const compiled = compileFilter(expression);
  if ('fault' in compiled) throw new Error(compiled.fault);
  return compiled.filter({ id: 'e-1', source: 'urn:svc:chat', subject: 'acme', data });
}

describe('a filter', () => {
  const data =
    '{"model":"m1","tokens":1200,"free":false,"tags":["a","b"],"where":{"region":"eu"},"nothing":null,"big":9007199254740993}';
  for (const [expression, outcome] of [
    ['true', true],
    ['data.model != "free"', true],
    ["data.model == 'm2'", false],
    ['data.tokens > 1000 && data.tokens < 1300.5', true],
    ['data.tokens == 1200', true],
    ['data.free', false],
    ['!data.free', true],
    ['data.where.region in ["eu", "us"]', true],
    ['data["model"].startsWith("m") && data.model.endsWith("1") && data.model.contains("m1")', true],
    ['"b" in data.tags', true],
    ['"model" in data', true],
    ['data.tags[0] == "a"', true],
    ['data.tags.exists(t, t == "b")', true],
    ['data.tags.all(t, t == "b")', false],
    ['data.tags.exists_one(t, t != "b")', true],
    ['size(data.tags) == 2', true],
    ['has(data.where.region)', true],
    ['has(data.where.city)', false],
    ['has(data.missing)', false],
    ['has(data.missing) && data.missing > 1', false],
    ['data.nothing == null', true],
    ['type(data.model) == string', true],
    ['double(data.tokens) / 2.0 == 600.0', true],
    ['source == "urn:svc:chat" && subject == "acme" && id == "e-1"', true],
    ['data.model == "m1" || data.missing == 1', true],
    ['timestamp("2026-03-01T00:00:00Z") < timestamp("2026-03-01T00:00:00.5Z")', true],
    ['data.missing == 1', 'error'],
    ['data.missing != 1', 'error'],
    ['!(data.missing == 1)', 'error'],
    ['data.where.city.name == "x"', 'error'],
    ['has(data.missing.more)', 'error'],
    ['data.tags[7] == "a"', 'error'],
    ['data.model > 5', 'error'],
    ['data.model', 'error'],
    ['data.tokens', 'error'],
    ['data.nothing', 'error'],
    ['int(data.model) == 1', 'error'],
    ['data.tokens / 0.0 > 1.0 && data.model.foo', 'error'],
  ] as const) {
    it(`${expression} gives ${outcome}`, () => expect(outcomeOf(expression, data)).to.equal(outcome));
  }

  it('has no match, but an error, over data that is no object', () => {
    for (const scalar of ['null', '5', '"a"', 'true', '[]'])
      expect(outcomeOf('data.model == "m1"', scalar)).to.equal('error');
  });

  it('sees what an object inherits as missing', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(outcomeOf(`data.${name} != null`, '{}'), name).to.equal('error');
      expect(outcomeOf(`has(data.${name})`, '{}'), name).to.equal(false);
    }
  });

  it('reads data with members named like those of an object as all other data', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype']) {
      for (const value of ['null', '5', '{"a":1}', '{"constructor":[{"constructor":1}]}']) {
        const text = `{"${name}":${value},"deep":{"${name}":${value},"n":1},"model":"m1"}`;
        const expression = `data.model == "m1" && data.deep.n == 1 && "${name}" in data && has(data.deep.${name}) && size(data) == 3`;
        expect(outcomeOf(expression, text), text).to.equal(true);
      }
    }
    expect(
      outcomeOf(
        'data.constructor == "c" && data.m.constructor.a == 1',
        '{"constructor":"c","m":{"constructor":{"a":1}}}',
      ),
    ).to.equal(true);
    expect(outcomeOf('data.text == "\\"constructor\\":"', String.raw`{"text":"\"constructor\":"}`)).to.equal(
      true,
    );
  });

  it('gives the same outcome every time, whatever it was asked before', () => {
    const compiled = compileFilter('data.tags.exists(t, t == data.model)');
    if ('fault' in compiled) throw new Error(compiled.fault);
    const events = [
      ['{"model":"a","tags":["b","a"]}', true],
      ['{"model":"a","tags":[]}', false],
      ['{}', 'error'],
    ] as const;
    for (const [text, outcome] of [...events, ...events.toReversed()]) {
      expect(compiled.filter({ id: '1', source: 's', subject: 's', data: text })).to.equal(outcome);
    }
  });
});

describe('saving a filter', () => {
  for (const [expression, fault] of [
    ['', /./],
    ['data.model ==', /./],
    ['data.model = "m1"', /./],
    ['"text"', /must give a bool, not string/],
    ['1 + 1', /must give a bool, not int/],
    ['size(data.tags)', /must give a bool, not int/],
    ['[true]', /must give a bool/],
    ['1 + "a" == 2', /./],
    ['source > 5', /./],
    ['unknown == 1', /unknown/i],
    ['type == "llm.request"', /./],
    ['time > 5', /./],
    ['namespace == "default"', /./],
    ['event.data.model == "m1"', /event/i],
    ['process.env.HOME == ""', /process/],
    ['nonsense(data.model)', /nonsense\(\) is not available/],
    ['data.model.nonsense()', /nonsense\(\) is not available/],
    ['data.model.matches("(a+)+$")', /matches\(\) is not available/],
    ['data.tags.map(t, t)[0] == "a"', /map\(\) is not available/],
    ['size(data.tags.filter(t, t == "a")) > 0', /filter\(\) is not available/],
    ['cel.bind(x, data.a + data.a, x == x)', /bind\(\) is not available/],
    ['data.tags.all(a, data.tags.exists(b, a == b))', /exists\(\) may not stand inside another loop/],
    [
      '{"k": data.tags.all(a, [data.tags.exists_one(b, a == b)][0])}["k"]',
      /exists_one\(\) may not stand inside another loop/,
    ],
    [`${'('.repeat(30)}true${')'.repeat(30)}`, /./],
    [Array.from({ length: 120 }, () => 'true').join('||'), /./],
  ] as const) {
    it(`names the fault of ${expression.slice(0, 60)}`, () => expect(faultOf(expression)).to.match(fault));
  }

  it(`accepts ${FILTER_BYTES_MAX} bytes and no more`, () => {
    const sized = (bytes: number): string => `data.m == "é${'x'.repeat(bytes - 14)}"`.slice(0);
    expect(Buffer.byteLength(sized(FILTER_BYTES_MAX))).to.equal(FILTER_BYTES_MAX);
    expect(faultOf(sized(FILTER_BYTES_MAX))).to.equal(undefined);
    expect(faultOf(sized(FILTER_BYTES_MAX + 1))).to.equal('has more than 1024 bytes');
  });

  it('never throws, whatever is typed', () => {
    const piece = fc.constantFrom(
      'data',
      '.',
      'a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '"',
      '==',
      '&&',
      '!',
      '?',
      ':',
      '1',
      ' ',
      'has',
      'all',
      ',',
      '\\',
      '\u0000',
      '-',
      'in',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const compiled = compileFilter(pieces.join(''));
        if ('filter' in compiled)
          expect([true, false, 'error']).to.include(
            compiled.filter({ id: '', source: '', subject: '', data: '{"a":[1]}' }),
          );
        else expect(compiled.fault).to.not.equal('');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the work of a filter', () => {
  const listOf = (length: number): string => `[${Array.from({ length }, () => '1').join(',')}]`;
  it(`is bounded: loops run over at most ${LOOP_ITEMS_MAX} items`, () => {
    expect(outcomeOf('data.all(n, n == 1)', listOf(LOOP_ITEMS_MAX))).to.equal(true);
    for (const data of [listOf(LOOP_ITEMS_MAX + 1), `[1,[${listOf(LOOP_ITEMS_MAX + 1)}]]`]) {
      expect(outcomeOf('data.all(n, n == 1)', data)).to.equal('error');
    }
    const members = Array.from({ length: LOOP_ITEMS_MAX + 1 }, (_, i) => `"k${i}":1`).join(',');
    expect(outcomeOf('data.all(k, k != "")', `{${members}}`)).to.equal('error');
  });

  it('without a loop is done over data of any size', () => {
    expect(outcomeOf('size(data) == 30000 && 1 in data', listOf(30_000))).to.equal(true);
  });
});
