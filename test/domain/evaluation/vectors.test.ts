import { expect } from 'chai';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { evaluateUsage } from '#domain/evaluation/evaluate-usage.ts';
import type { Evaluation } from '#domain/evaluation/evaluation.ts';
import {
  DEVIATIONS,
  aggregationVectors,
  evaluationOf,
  expectAnswer,
  type AnsweredRow,
  type EvaluationBody,
} from '#test/vectors/aggregation.ts';

const instant = (text: unknown): number | undefined =>
  typeof text === 'string' ? parseRfc3339(text)!.at : undefined;

/** What the route makes of its body. */
function questionOf({ meter, events, query }: EvaluationBody): Evaluation {
  return {
    namespace: 'default',
    meter: meter as Evaluation['meter'],
    events: events.map(({ data, storedAt, ...event }) => ({
      ...event,
      storedAt: instant(storedAt),
      data: JSON.stringify(data),
    })),
    query: {
      ...(query as unknown as Evaluation['query']),
      from: instant(query.from)!,
      to: instant(query.to)!,
      storedFrom: instant(query['storedFrom']),
      storedBefore: instant(query['storedBefore']),
    },
  };
}

const answer = (body: EvaluationBody): AnsweredRow[] =>
  evaluateUsage(questionOf(body)).rows.map((row) => ({
    ...row,
    from: formatInstant(row.from),
    to: formatInstant(row.to),
  }));

describe("the calculator of usage agrees with other systems' tests", () => {
  for (const vector of aggregationVectors) {
    const deviation = DEVIATIONS[vector.id];
    const title = `${vector.id} ${vector.source}`;
    it(deviation ? `${title}; it deviates: ${deviation.reason}` : title, () => {
      expectAnswer(vector, answer(evaluationOf(vector)));
    });
  }

  it('or lists where it does not, by name', () => {
    const known = new Set(aggregationVectors.map(({ id }) => id));
    expect(Object.keys(DEVIATIONS).filter((id) => !known.has(id))).to.deep.equal([]);
  });
});
