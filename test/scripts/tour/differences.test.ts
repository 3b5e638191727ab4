import { expect } from 'chai';
import { differences, lineDifferences } from '../../../scripts/tour/differences.ts';

describe('an answer beside what the guide shows', () => {
  it('may say more in its objects, and what an ellipsis leaves open', () => {
    const same: [unknown, unknown][] = [
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: { b: '…' } }, { a: { b: 'x', c: 1 } }],
      ['a…c.', 'abc.'],
      [[], []],
      [[{ a: 1 }], [{ a: 1, b: 2 }]],
      [null, null],
    ];
    for (const [shown, found] of same) expect(differences(shown, found)).to.deep.equal([]);
  });

  it('may not say less, or anything else', () => {
    const different: [unknown, unknown, string][] = [
      [{ a: 1 }, {}, '/a: the guide shows 1, the answer is undefined'],
      [{ a: [1] }, { a: [1, 2] }, '/a: the guide shows [1], the answer is [1,2]'],
      [{ a: [{ b: '1' }] }, { a: [{ b: 1 }] }, '/a/0/b: the guide shows "1", the answer is 1'],
      ['a…c.', 'abcd', 'the answer: the guide shows "a…c.", the answer is "abcd"'],
      ['…', '', 'the answer: the guide shows "…", the answer is ""'],
      ['…', 1, 'the answer: the guide shows "…", the answer is 1'],
      [{}, [], 'the answer: the guide shows {}, the answer is []'],
      [[], {}, 'the answer: the guide shows [], the answer is {}'],
    ];
    for (const [shown, found, difference] of different)
      expect(differences(shown, found)).to.deep.equal([difference]);
  });

  it('is compared line by line where it is no JSON', () => {
    expect(lineDifferences('a,b\n…,1', 'a,b\r\nx,1\r\n')).to.deep.equal([]);
    expect(lineDifferences('a,b\n…,1', 'a,b\nx,2')).to.deep.equal([
      '/1: the guide shows "…,1", the answer is "x,2"',
    ]);
    expect(lineDifferences('a', 'a\nb')).to.have.length(1);
  });
});
