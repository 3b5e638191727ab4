import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { Decimal } from '#domain/money/decimal.ts';
import { toFraction } from '#domain/money/fraction.ts';
import { ON_CHANGE, PRICE_MODELS } from '#domain/pricing/charge.ts';
import { evaluatePrice } from '#domain/pricing/evaluate-price.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateSegments } from '#domain/pricing/rate-segments.ts';
import { examplesOf } from '../../../scripts/pricing/examples.ts';
import { sumsOf } from '../../../scripts/pricing/sums.ts';
import { differences } from '../../../scripts/tour/differences.ts';

const guide = await readFile(new URL('../../../docs/guides/pricing.md', import.meta.url), 'utf8');
const examples = examplesOf(guide);

describe('the pricing guide', () => {
  for (const [index, { chapter, question, answer, words }] of examples.entries())
    it(`works out example ${index + 1}, of "${chapter}", as the platform does`, () => {
      expect(differences(answer, evaluatePrice(question))).to.deep.equal([]);
      const reached = sumsOf(words).some(({ computed }) => computed.eq(answer.amount ?? ''));
      const rounded = words.includes(`rounded to ${answer.amount ?? ''}.`);
      expect(reached || rounded, `the words come to ${answer.amount ?? ''}`).to.equal(true);
    });

  it('has no wrong sum', () => {
    const sums = sumsOf(guide);
    expect(sums.length).to.be.greaterThan(examples.length);
    const wrong = sums.filter(({ computed, written }) => !computed.eq(written));
    expect(wrong.map(({ text }) => text)).to.deep.equal([]);
    expect(guide.match(/`[^`\n]+ = [^`\n]+`/g)).to.have.length(sums.length);
  });

  it('has an example with a picture for every price model', () => {
    const pictured = examples
      .filter(({ picture }) => picture)
      .map(({ question }) => question.charge.price.model);
    expect(pictured).to.include.members([...PRICE_MODELS]);
    const paths = examples.flatMap(({ picture }) => picture?.path ?? []);
    expect(new Set(paths).size).to.equal(paths.length);
  });
});

describe('the examples of a change inside a period', () => {
  const changed = examples.filter(({ question }) => question.charge.onChange);

  it('come to what a period of two segments does', () => {
    expect(changed.map(({ question }) => question.charge.onChange)).to.deep.equal([...ON_CHANGE]);
    const fraction = toFraction(new Decimal('0.5'));
    for (const { question, answer } of changed) {
      const charge = prepareCharge(question.charge);
      const halves = ['800', '600'].map((quantity) => ({
        charge,
        usage: { quantity: new Decimal(quantity) },
        fraction,
      }));
      const [, second] = rateSegments({ segments: halves, decimals: 2 });
      expect(second?.amount.toString(), charge.onChange).to.equal(answer.amount);
    }
  });
});

describe('a guide with examples', () => {
  const question = '```json question\n{}\n```\n';
  const answer = '```json answer\n{ "amount": "1" }\n```\n';
  const picture = '![What is seen.](../pricing/a.svg "units")\n';

  it('is read example by example, with what is written about each', () => {
    const read = examplesOf(
      `## A\nbefore\n${picture}${question}${answer}one\n\ntwo\n### B\n${question}${answer}`,
    );
    expect(read).to.deep.equal([
      {
        chapter: 'A',
        question: {},
        answer: { amount: '1' },
        words: 'one two',
        picture: { chapter: 'A', path: 'pricing/a.svg', description: 'What is seen.', unit: 'units' },
      },
      { chapter: 'B', question: {}, answer: { amount: '1' }, words: '', picture: undefined },
    ]);
  });

  it('that shows a question, an answer or a picture alone is refused', () => {
    for (const wrong of [
      question,
      answer,
      question + question + answer,
      question + answer + picture,
      picture + picture + question + answer,
      '```sh\nls\n```\n',
    ])
      expect(() => examplesOf(wrong), wrong).to.throw('the guide shows');
  });

  it('has its sums computed again, products first', () => {
    const [sum, wrong] = sumsOf('`1,000 − 2 × 3 ÷ 4 + 0.5 = 999` and `1 + 1 = 3`');
    expect(sum?.computed.toString()).to.equal('999');
    expect(wrong).to.deep.include({ text: '`1 + 1 = 3`' });
    expect(wrong?.computed.eq(wrong.written)).to.equal(false);
  });
});
