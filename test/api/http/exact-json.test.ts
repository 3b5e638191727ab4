import { expect } from 'chai';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { BODY_DEPTH_MAX, JsonTooDeep, NumberText, parseExactJson } from '#api/http/exact-json.ts';

const parse = (text: string): unknown => parseExactJson(Buffer.from(text));

describe('a JSON body', () => {
  it('keeps every number that a double would change as its text, and no other', () => {
    expect(
      parse('[9007199254740993, 0.30000000000000004, 0.3, 1e2, 1e999, 123456789012345678, 1.50]'),
    ).to.deep.equal([
      new NumberText('9007199254740993'),
      0.30000000000000004,
      0.3,
      100,
      new NumberText('1e999'),
      new NumberText('123456789012345678'),
      1.5,
    ]);
  });

  it('never gives a number that is not the one in the text', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        const read = parse(text);
        const said = read instanceof NumberText ? read.text : String(read);
        expect(new Decimal(said).eq(new Decimal(text)), `${text} read as ${said}`).to.be.true;
      }),
    );
  });

  it('reads like JSON.parse where numbers are short', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parse(text))).to.equal(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('may nest as deep as the limit and no deeper, brackets inside strings not counted', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(() => parse(nested(BODY_DEPTH_MAX))).not.to.throw();
    expect(() => parse(nested(BODY_DEPTH_MAX + 1))).to.throw(JsonTooDeep);
    expect(() => parse('['.repeat(1_000_000))).to.throw(JsonTooDeep);
    expect(parse(JSON.stringify(`"${'['.repeat(100)}\\"`))).to.equal(`"${'['.repeat(100)}\\"`);
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => parseExactJson(Uint8Array.from([0x22, 0xff, 0x22]))).to.throw(TypeError);
  });
});
