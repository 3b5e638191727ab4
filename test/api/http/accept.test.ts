import { expect } from 'chai';
import { chooseMediaType } from '#api/http/accept.ts';
import { Problem } from '#api/http/problem.ts';

const choose = (accept?: string): string => chooseMediaType(accept, ['application/json', 'text/csv']);

describe('the media type of an answer', () => {
  it('is the first that a call offers when nothing or anything is asked for', () => {
    for (const accept of [undefined, '', '*/*', 'text/html, */*;q=0.1']) {
      expect(choose(accept)).to.equal('application/json');
    }
  });

  it('is the one that the client likes best, the more specific range deciding', () => {
    expect(choose('text/csv')).to.equal('text/csv');
    expect(choose('TEXT/CSV; charset=utf-8')).to.equal('text/csv');
    expect(choose('text/*')).to.equal('text/csv');
    expect(choose('application/json;q=0.2, text/csv;q=0.9')).to.equal('text/csv');
    expect(choose('text/csv;q=0, */*')).to.equal('application/json');
    expect(choose('application/json;q=0, */*;q=0.5')).to.equal('text/csv');
  });

  it('is a problem when the client takes none of them', () => {
    expect(() => choose('application/pdf'))
      .to.throw(Problem)
      .with.property('code', 'not_acceptable');
    expect(() => choose('text/csv;q=0')).to.throw(Problem);
  });
});
