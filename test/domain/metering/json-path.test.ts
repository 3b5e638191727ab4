import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalize } from '#domain/metering/canonical-json.ts';
import { compilePath, valueAt } from '#domain/metering/json-path.ts';
import { jsonTexts } from './canonical-json-texts.ts';

const at = (data: string, path: string): string | undefined => valueAt(data, compilePath(path));

describe('a dotted path', () => {
  const data = String.raw`{"":1,"a":{"a":{"b":7},"b":null,"c":[1,{"b":2}]},"a\"b":3,"a\\":4,"b":"x\\\",\"q\":9,","q":-1.5,"z":{},"é\n":[]}`;
  for (const [path, value] of [
    ['a.a.b', '7'],
    ['a.a', '{"b":7}'],
    ['a.b', 'null'],
    ['a.c', '[1,{"b":2}]'],
    ['a"b', '3'],
    ['a\\', '4'],
    ['b', String.raw`"x\\\",\"q\":9,"`],
    ['q', '-1.5'],
    ['z', '{}'],
    ['é\n', '[]'],
    ['', '1'],
    ['missing', undefined],
    ['a.missing', undefined],
    ['a.b.c', undefined],
    ['a.c.b', undefined],
    ['a.c.0', undefined],
    ['q.x', undefined],
    ['b.x', undefined],
    ['z.', undefined],
    ['a.a.b.c', undefined],
    ['A', undefined],
    ['__proto__', undefined],
    ['toString', undefined],
  ] as const) {
    it(`'${path.replace('\n', '\\n')}' finds ${value ?? 'nothing'}`, () =>
      expect(at(data, path)).to.equal(value));
  }

  it('finds nothing in data that is no object', () => {
    for (const scalar of ['null', '5', '"a"', '[{"a":1}]', 'true', '[]', '{}'])
      expect(at(scalar, 'a')).to.equal(undefined);
  });

  it('is not misled by a key or a value that only looks like it', () => {
    expect(at(String.raw`{"x":"\"a\":1","y":["a",{"a":2}],"za":3}`, 'a')).to.equal(undefined);
    expect(at(String.raw`{"\"a":1,"a":2}`, 'a')).to.equal('2');
    expect(at(String.raw`{"\\":1,"a":2}`, 'a')).to.equal('2');
  });

  it('finds what walking through the parsed data finds', () => {
    const paths = fc.array(fc.constantFrom('a', 'b', 'aa', '', 'k', '€', '😀', 'missing'), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(jsonTexts, paths, (text, segments) => {
        const result = canonicalize(text);
        if ('fault' in result) return;
        let value = JSON.parse(result.canonical) as unknown;
        for (const segment of segments) {
          const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
          value =
            isObject && Object.hasOwn(value as object, segment)
              ? (value as Record<string, unknown>)[segment]
              : undefined;
        }
        const found = at(result.canonical, segments.join('.'));
        expect(found === undefined ? undefined : JSON.parse(found)).to.deep.equal(value);
      }),
      { numRuns: 1_500 },
    );
  });

  it('is found in one pass over 64 KiB of backslashes and quotes', () => {
    for (const unit of ['\\\\', '\\"', '[]']) {
      const value = unit === '[]' ? `[${'[],'.repeat(20_000)}1]` : `"${unit.repeat(30_000)}"`;
      expect(at(`{"a":${value},"b":7}`, 'b')).to.equal('7');
    }
  });
});
