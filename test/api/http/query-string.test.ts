import { expect } from 'chai';
import { parseQueryString, QUERY_PARAMETERS_MAX } from '#api/http/query-string.ts';

const parse = (search: string): unknown => JSON.parse(JSON.stringify(parseQueryString(search)));

describe('a query string', () => {
  it('gives text for one value, a list for several, and an object for names with brackets', () => {
    expect(parse('a=1&b=2&b=3&filter[model]=m1&filter[model]=m2&filter[region]=eu')).to.deep.equal({
      a: '1',
      b: ['2', '3'],
      filter: { model: ['m1', 'm2'], region: ['eu'] },
    });
  });

  it('decodes what is percent-encoded, plus signs too', () => {
    expect(parse('subject=Z%C3%BCrich%2F7+x&filter%5Bmodel%5D=a%26b')).to.deep.equal({
      subject: 'Zürich/7 x',
      filter: { model: ['a&b'] },
    });
  });

  it('gives names of the prototype no meaning', () => {
    const query = parseQueryString('__proto__=1&constructor=2&filter[__proto__]=3');
    expect(Object.keys(query)).to.deep.equal(['__proto__', 'constructor', 'filter']);
    expect(({} as Record<string, unknown>)['1']).to.equal(undefined);
  });

  it('is bounded', () => {
    const many = 'a=1&'.repeat(QUERY_PARAMETERS_MAX + 1);
    expect(() => parseQueryString(many)).to.throw(RangeError);
  });
});
