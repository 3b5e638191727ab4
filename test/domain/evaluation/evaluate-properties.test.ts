import { expect } from 'chai';
import fc from 'fast-check';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { WINDOW_UNITS, type WindowUnit } from '#domain/calendar/window.ts';
import type { EvaluatedEvent } from '#domain/evaluation/evaluation.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { parsePlainDecimal, type Quantity } from '#domain/metering/quantity.ts';
import { usageQuery } from '#domain/usage/usage-query.ts';
import { ZONES } from '#test/domain/calendar/zones.ts';
import { naiveRows, type MeteredEvent } from '#test/domain/usage/usage-model.ts';
import { MARCH, at, evaluate, type Asked } from './ask.ts';

/* Events over three days around a change of the clocks, as the calculator takes them and as the model of usage does. */

const EVENTFUL_DAYS = ['2018-11-04', '2024-03-31', '2024-10-27', '2026-03-08', '1969-12-31'].map((date) =>
  at(`${date}T00:00:00Z`),
);
const LONGEST_RANGE: Record<WindowUnit, number> = {
  minute: 3 * MICROS_PER_HOUR,
  hour: 3 * MICROS_PER_DAY,
  day: 4 * MICROS_PER_DAY,
  month: 4 * MICROS_PER_DAY,
  none: 4 * MICROS_PER_DAY,
};

interface Told {
  readonly subject: string;
  readonly halfMinutes: number;
  readonly amount: string;
  readonly model: string;
  readonly region: string;
}

const told: fc.Arbitrary<Told> = fc.record({
  subject: fc.constantFrom('acme', 'zeta'),
  halfMinutes: fc.integer({ min: -2 * 2_880, max: 3 * 2_880 }),
  amount: fc.oneof(
    fc.integer({ min: -9, max: 9 }).map(String),
    fc.constantFrom('0.000000000000000001', '-0.5', '9007199254740993', '99999999999999999999'),
  ),
  model: fc.constantFrom('', 'a', 'b'),
  region: fc.constantFrom('', 'é'),
});

const timeOf = (origin: Instant, { halfMinutes }: Told): Instant =>
  origin + (halfMinutes * MICROS_PER_MINUTE) / 2;

const asEvaluated = (origin: Instant, one: Told, id: number): EvaluatedEvent => ({
  id: `e-${id}`,
  source: 'urn:svc',
  subject: one.subject,
  time: formatInstant(timeOf(origin, one)),
  data: JSON.stringify({ n: one.amount, model: one.model, region: one.region }),
});

const asMetered = (origin: Instant, one: Told, id: number, aggregation: Aggregation): MeteredEvent => ({
  subject: one.subject,
  time: timeOf(origin, one),
  identity: identityOf('default', 'urn:svc', `e-${id}`),
  value: aggregation === 'unique' ? 0 : (parsePlainDecimal(one.amount) as Quantity),
  distinct: one.amount.padEnd(16),
  group: [one.model, one.region],
  slot: 0,
});

interface Question {
  readonly origin: Instant;
  readonly events: readonly Told[];
  readonly from: Instant;
  readonly to: Instant;
  readonly window: WindowUnit;
  readonly timezone: string;
  readonly groupBy: readonly string[];
  readonly filter?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The calculator's rows are those of the model, which looks at every event for every row. */
function expectAgreement(aggregation: Aggregation, { origin, events, filter, ...asked }: Question): void {
  const { rows } = evaluate(
    events.map((one, id) => asEvaluated(origin, one, id)),
    { meter: { aggregation, value: aggregation === 'count' ? undefined : 'n' }, query: { ...asked, filter } },
  );
  const query = usageQuery({
    ...asked,
    ...(filter ? { filter } : {}),
    aggregation,
    rolledThrough: -1,
    dimensions: ['model', 'region'],
  });
  const metered = events.map((one, id) => asMetered(origin, one, id, aggregation));
  expect(rows).to.deep.equal(naiveRows(query, metered));
}

describe('the calculator of usage', () => {
  for (const aggregation of AGGREGATIONS) {
    it(`${aggregation}: answers for any range, zone, window and grouping what its events come to one by one`, () => {
      const question = fc.record({
        origin: fc.constantFrom(...EVENTFUL_DAYS),
        events: fc.array(told, { maxLength: 25 }),
        window: fc.constantFrom(...WINDOW_UNITS),
        timezone: fc.constantFrom(...ZONES),
        start: fc.integer({ min: -1_440, max: 2_880 }),
        share: fc.double({ min: 0.001, max: 1, noNaN: true }),
        groupBy: fc.subarray(['region', 'model', 'subject']),
        filter: fc.option(fc.record({ model: fc.subarray(['', 'a', 'b']) }), { nil: undefined }),
      });
      fc.assert(
        fc.property(question, ({ start, share, ...asked }) => {
          const from = asked.origin + start * MICROS_PER_MINUTE;
          const to = from + MICROS_PER_MINUTE + Math.floor(LONGEST_RANGE[asked.window] * share);
          expectAgreement(aggregation, { ...asked, from, to });
        }),
        { numRuns: 150 },
      );
    });

    it(`${aggregation}: answers the same of thousands of events, which are folded by and by`, () => {
      const events = fc.sample(told, { numRuns: 1_700, seed: 1 });
      const origin = MARCH.query.from;
      const range = { from: origin - MICROS_PER_DAY, to: origin + 2 * MICROS_PER_DAY };
      const asked = { origin, events, ...range, timezone: 'Asia/Kolkata' };
      expectAgreement(aggregation, { ...asked, window: 'day', groupBy: ['model', 'subject'] });
      expectAgreement(aggregation, { ...asked, window: 'none', groupBy: [] });
    });
  }

  it('gives the same rows in whatever order events with an id come', () => {
    fc.assert(
      fc.property(
        fc.array(told, { maxLength: 25 }),
        fc.constantFrom(...AGGREGATIONS),
        (events, aggregation) => {
          const given = events.map((one, id) => asEvaluated(MARCH.query.from, one, id));
          const asked: Asked = {
            meter: { aggregation, value: aggregation === 'count' ? undefined : 'n' },
            query: { window: 'day' },
          };
          expect(evaluate(given.toReversed(), asked).rows).to.deep.equal(evaluate(given, asked).rows);
        },
      ),
      { numRuns: 60 },
    );
  });
});
