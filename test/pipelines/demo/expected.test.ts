import { expect } from 'chai';
import { plannedTwice } from '#pipelines/demo/data-set.ts';
import { contendersOf, countedFacts, countIndependently } from '#pipelines/demo/expected.ts';
import { dataSetOf, factOf, rejectedMessage } from './facts.ts';

describe('the independent count', () => {
  const [first, second] = [factOf('contended'), factOf('contended', { data: { tokens: 100 } })];
  const letter = { ...rejectedMessage, way: 'topic' as const };
  const set = dataSetOf([factOf('a'), factOf('a'), first, second, factOf('b')], [rejectedMessage, letter]);

  it('counts each identity once, with the content that was committed first', () => {
    const winners = new Map([['urn:test\ncontended', second]]);
    const { usage, distinct, conflicts } = countIndependently(set, countedFacts(set.planned, winners));
    expect(usage).to.deep.equal([{ meter: 'tokens', subject: 'acme', value: '114' }]);
    expect({ distinct, conflicts }).to.deep.equal({ distinct: 3, conflicts: 1 });
  });

  it('accounts for every message: taken over HTTP or by the topic, or rejected by the API', () => {
    const { sent, sentOverHttp, deadLetters, rejected } = countIndependently(
      set,
      countedFacts(set.planned, new Map()),
    );
    expect({ sent, sentOverHttp }).to.deep.equal({ sent: 6, sentOverHttp: 2 });
    expect(deadLetters).to.deep.equal({ malformed_json: 1 });
    expect(rejected).to.deep.equal({ malformed_json: 1 });
  });

  it('gives the same totals when everything is sent twice, each event both ways', () => {
    const twice = { ...set, planned: plannedTwice(set.planned) };
    const counted = countIndependently(set, countedFacts(set.planned, new Map()));
    const again = countIndependently(twice, countedFacts(twice.planned, new Map()));
    expect(again.usage).to.deep.equal(counted.usage);
    expect(again.distinct).to.equal(counted.distinct);
    expect(again.conflicts).to.equal(counted.conflicts);
    expect(again.sent).to.equal(2 * counted.sent);
  });

  it('takes only what says something else for a contender', () => {
    expect([...contendersOf(set.planned)]).to.deep.equal([['urn:test\ncontended', [first, second]]]);
  });
});
