import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalize, plainNumber } from '#domain/metering/canonical-json.ts';
import { readSlowly } from './canonical-json-reference.ts';
import { editedTexts, jsonTexts, numberTexts } from './canonical-json-texts.ts';

const canonicalOf = (text: string): string => {
  const result = canonicalize(text);
  if ('fault' in result) throw new Error(`${result.fault}: ${text}`);
  return result.canonical;
};
const faultOf = (text: string): string | undefined => {
  const result = canonicalize(text);
  return 'fault' in result ? result.fault : undefined;
};

function expectSameReading(text: string): void {
  const [found, { unless, ...expected }] = [canonicalize(text), readSlowly(text)];
  if (unless === undefined) expect(found, text).to.deep.equal(expected);
  else expect([expected, { fault: unless }], text).to.deep.include(found);
}

const zerosAsOne = (_: string, value: unknown): unknown => (value === 0 ? 0 : value);

describe('canonical JSON', () => {
  it('reads every text as the slow reference does: the same canonical text or the same fault', () => {
    fc.assert(fc.property(jsonTexts, expectSameReading), { numRuns: 4_000 });
  });

  it('reads every damaged text as the slow reference does', () => {
    fc.assert(fc.property(editedTexts, expectSameReading), { numRuns: 6_000 });
  });

  it('accepts nothing that JSON.parse refuses, and means the same by what it accepts', () => {
    fc.assert(
      fc.property(fc.oneof(jsonTexts, editedTexts), (text) => {
        const result = canonicalize(text);
        if ('fault' in result) return;
        expect(JSON.parse(result.canonical, zerosAsOne)).to.deep.equal(JSON.parse(text, zerosAsOne));
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves canonical text as it is', () => {
    fc.assert(
      fc.property(jsonTexts, (text) => {
        const result = canonicalize(text);
        if ('canonical' in result) expect(canonicalOf(result.canonical)).to.equal(result.canonical);
      }),
      { numRuns: 1_500 },
    );
  });

  it('writes what JSON.stringify writes, for values in order whose doubles are exact', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeInteger().map((n) => n + 0 || 0),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc
          .uniqueArray(
            fc.tuple(
              fc.string({ unit: 'grapheme' }).map((key) => `k${key}`),
              tie('value'),
            ),
            {
              selector: ([key]) => key,
              maxLength: 4,
            },
          )
          .map((members) => Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))),
      ),
    })).value;
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 3 }), (tree, indent) => {
        expect(canonicalOf(JSON.stringify(tree, null, indent))).to.equal(JSON.stringify(tree));
      }),
      { numRuns: 1_000 },
    );
  });

  describe('keys', () => {
    it('are sorted by UTF-16 code units, as in RFC 8785 section 3.2.3', () => {
      const text = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
        "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
      const values = [...canonicalOf(text).matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
      expect(values).to.deep.equal([
        'Carriage Return',
        'One',
        'Control',
        'Latin Small Letter O With Diaeresis',
        'Euro Sign',
        'Emoji: Grinning Face',
        'Hebrew Letter Dalet With Dagesh',
      ]);
    });

    it('keep the last of duplicates, however the key is written', () => {
      expect(canonicalOf(String.raw`{"a":1,"b":2,"\u0061":{"x":1},"b":3,"a":[]}`)).to.equal('{"a":[],"b":3}');
      expect(canonicalOf('{"a":1,"a":1}')).to.equal('{"a":1}');
      expect(canonicalOf('{"":1,"":2}')).to.equal('{"":2}');
    });

    it('named like parts of an object are keys as all others', () => {
      expect(canonicalOf('{"toString":1,"__proto__":2,"constructor":3,"__proto__":4}')).to.equal(
        '{"__proto__":4,"constructor":3,"toString":1}',
      );
    });

    it('of large objects, in any order and with duplicates, come out as those of small ones do', () => {
      const keys = fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 25, maxLength: 140 });
      fc.assert(
        fc.property(keys, fc.boolean(), (drawn, sorted) => {
          const order = sorted ? drawn.toSorted((a, b) => a - b) : drawn;
          expectSameReading(`{${order.map((key, i) => `"k${key}":${i}`).join(',')}}`);
        }),
        { numRuns: 400 },
      );
    });
  });

  describe('strings', () => {
    it('are escaped as in RFC 8785 section 3.2.2.2', () => {
      const text = String.raw`"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`;
      expect(canonicalOf(text)).to.equal(String.raw`"€$\u000f\nA'B\"\\\\\"/"`);
    });

    for (const [what, text] of [
      ['a raw line feed', '"a\nb"'],
      ['a raw NUL', '"a\u0000b"'],
      ['a raw U+001F in a key', '{"a\u001f":1}'],
      ['half a surrogate pair, escaped', String.raw`"\ud800"`],
      ['a surrogate pair the wrong way round', String.raw`"\ude00\ud83d"`],
      ['half a surrogate pair in a key', String.raw`{"\udfff":1}`],
      ['half a surrogate pair, raw', '["\ud800"]'],
      ['an unknown escape', String.raw`"\x41"`],
      ['a cut escape', String.raw`"\u00"`],
      ['an escaped closing quote', String.raw`"abc\"`],
      ['no closing quote', '"abc'],
    ] as const) {
      it(`with ${what} are refused`, () => expect(faultOf(text)).to.equal('malformed_json'));
    }
  });

  describe('numbers', () => {
    for (const [source, plain] of [
      ['-2.50', '-2.5'],
      ['1.50e2', '150'],
      ['-0', '0'],
      ['-0.0e5', '0'],
      ['0e999999999999', '0'],
      ['1E+2', '100'],
      ['1e-7', '0.0000001'],
      ['100e-2', '1'],
      ['9007199254740993', '9007199254740993'],
      ['0.30000000000000004', '0.30000000000000004'],
      ['1e63', `1${'0'.repeat(63)}`],
      ['9'.repeat(64), '9'.repeat(64)],
      ['1e-63', `0.${'0'.repeat(62)}1`],
      [`1.${'0'.repeat(200)}`, '1'],
      [`0.${'0'.repeat(120_000)}1e120001`, '1'],
    ] as const) {
      it(`write ${source.slice(0, 30)} as ${plain.slice(0, 30)}`, () =>
        expect(canonicalOf(source)).to.equal(plain));
    }

    for (const source of [
      '1e64',
      '1e999999',
      '-1e999999',
      '1e-64',
      '9'.repeat(65),
      `0.${'1'.repeat(64)}`,
      `1e${'9'.repeat(400)}`,
    ]) {
      it(`refuse ${source.slice(0, 30)}, whose plain form passes 64 digits`, () => {
        expect(faultOf(source)).to.equal('value_out_of_range');
        expect(faultOf(`{"a":[${source}],"a":1}`)).to.equal('value_out_of_range');
      });
    }

    for (const source of [
      'NaN',
      'Infinity',
      '-Infinity',
      '01',
      '-',
      '+1',
      '.5',
      '1.',
      '1e',
      '0x1',
      '1,000',
      '',
    ]) {
      it(`refuse '${source}', which JSON does not know`, () =>
        expect(faultOf(source)).to.equal('malformed_json'));
    }

    it('of all shapes have the plain form that decimal.js gives', () => {
      fc.assert(
        fc.property(numberTexts, (source) => {
          expect(plainNumber(source)).to.equal(readSlowly(source).canonical);
        }),
        { numRuns: 3_000 },
      );
    });
  });

  describe('depth', () => {
    const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    it('is accepted at 8 and refused at 9', () => {
      expect(canonicalOf(lists(8))).to.equal(lists(8));
      expect(faultOf(lists(9))).to.equal('too_deep');
      expect(faultOf(`{"a":${lists(8)}}`)).to.equal('too_deep');
      expect(faultOf(`{"a":${lists(7)},"b":${lists(7)}}`)).to.equal(undefined);
    });

    it('does not hide that the text around it is no JSON', () => {
      for (const text of [`${lists(9)} x`, `[${lists(9)},]`, '['.repeat(9), `${'['.repeat(9)}"]]]]]]]]]`]) {
        expect(faultOf(text)).to.equal('malformed_json');
      }
    });

    it('does not count brackets inside strings', () => {
      expect(faultOf(`{"a":"${'['.repeat(20)}"}`)).to.equal(undefined);
      expect(faultOf(`${'['.repeat(9)}"]]]\\""${']'.repeat(9)}`)).to.equal('too_deep');
    });
  });

  it('is the only value of its text', () => {
    for (const text of ['1 2', '{}{}', '[] ,', 'null x', 'truefalse', '', '  '])
      expect(faultOf(text)).to.equal('malformed_json');
    expect(canonicalOf(' \n\t\r{ } \r\n')).to.equal('{}');
  });
});
