import { expect } from 'chai';
import { evaluationSteps } from '#domain/evaluation/evaluate-usage.ts';
import type { EvaluatedEvent } from '#domain/evaluation/evaluation.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { EVALUATION_EVENTS_MAX, EVALUATION_ROWS_MAX } from '#domain/limits.ts';
import { MARCH, at, codesOf, evaluate, event, values, type Asked } from './ask.ts';

describe('the calculator of usage', () => {
  it('takes the later in the list of two events without an id at one instant as the latest', () => {
    const latest: Asked = { meter: { aggregation: 'latest' } };
    const time = '2026-03-02T00:00:00Z';
    expect(values(evaluate([event(time, { n: 1 }), event(time, { n: 2 })], latest))).to.deep.equal(['2']);
    expect(values(evaluate([event(time, { n: 2 }), event(time, { n: 1 })], latest))).to.deep.equal(['1']);
  });

  it('loses no digit of a value and takes numbers and decimal strings alike', () => {
    const data = ['{"n":9007199254740993}', '{"n":"0.30000000000000004"}', '{"n":1e3}'];
    const events = data.map((text) => ({ time: '2026-03-02T00:00:00Z', data: text }));
    expect(values(evaluate(events))).to.deep.equal(['9007199254741993.30000000000000004']);
  });

  it("applies the meter's filter and event type as a commit does", () => {
    const events = [
      event('2026-03-02T00:00:00Z', { n: 1, model: 'free' }),
      event('2026-03-02T00:00:00Z', { n: 2, model: 'm1' }),
      event('2026-03-02T00:00:00Z', { n: 4, model: 'm1' }, { type: 'other' }),
    ];
    const meter = { filter: "data.model != 'free'", eventType: 'request' };
    const answer = evaluate(events, { meter });
    expect(values(answer)).to.deep.equal(['2']);
    expect(answer.events).to.include({ counted: 1, unmatched: 2 });
    // Without an event type the meter is of every event.
    expect(values(evaluate(events, { meter: { filter: meter.filter } }))).to.deep.equal(['6']);
  });
});

describe('every event given to the calculator of usage is accounted for', () => {
  const named = (id: string, n: unknown, more: Partial<EvaluatedEvent> = {}): EvaluatedEvent =>
    event('2026-03-02T00:00:00Z', { n }, { id, source: 'urn:svc', ...more });

  it('once: counted, duplicate, conflict, unmatched, not stored or refused', () => {
    const answer = evaluate(
      [
        named('a', 1),
        named('a', 1),
        named('a', 2),
        named('a', 1, { source: 'urn:other' }),
        named('b', 'many'),
        named('c', null),
        named('d', 8, { storedAt: at('2026-03-05T00:00:00Z') }),
        event('yesterday', { n: 16 }),
        { time: '2026-03-02T00:00:00Z', data: '{' },
        named('', 32),
        named('e', 64, { subject: 'x'.repeat(257) }),
        named('f', 128),
      ],
      { query: { storedBefore: at('2026-03-05T00:00:00Z') }, meter: { filter: "id != 'f'" } },
    );
    const { refused, ...counts } = answer.events;
    expect(counts).to.deep.equal({ counted: 2, duplicates: 1, conflicts: 1, unmatched: 1, notStored: 1 });
    expect(refused.map(({ index, reason }) => `${index} ${reason}`)).to.deep.equal([
      '4 value_not_a_number',
      '5 value_missing',
      '7 attribute_invalid',
      '8 malformed_json',
      '9 attribute_invalid',
      '10 too_large',
    ]);
    expect(values(answer)).to.deep.equal(['2']);
  });

  it('and of two that disagree the one stored first counts, wherever it stands in the list', () => {
    const later = named('a', 2, { storedAt: at('2026-03-04T00:00:00Z') });
    const earlier = named('a', 1, { storedAt: at('2026-03-03T00:00:00Z') });
    expect(values(evaluate([later, earlier]))).to.deep.equal(['1']);
    // What was not stored yet cannot have been first.
    expect(
      values(evaluate([later, earlier], { query: { storedFrom: at('2026-03-04T00:00:00Z') } })),
    ).to.deep.equal(['2']);
  });

  it('and one without a time happened when it was stored', () => {
    const stored = { storedAt: at('2026-03-02T00:00:00Z'), data: '{"n":1}' };
    expect(values(evaluate([stored]))).to.deep.equal(['1']);
    expect(evaluate([{ data: '{"n":1}' }]).events.refused[0]).to.include({
      index: 0,
      reason: 'attribute_invalid',
    });
    // A year that microseconds cannot name exactly.
    expect(evaluate([event('0001-01-01T00:00:00Z', { n: 1 })]).events.refused).to.have.length(1);
  });
});

describe('a question to the calculator of usage', () => {
  it('is refused with everything that is wrong with it, and where', () => {
    expect(
      codesOf({
        meter: { aggregation: 'sum', value: undefined, filter: 'data.' },
        query: {
          from: MARCH.query.to,
          timezone: '+01:00',
          groupBy: ['subject', 'color'],
          filter: { size: ['1'] },
          initialLevel: 'much',
          rounding: { function: 'round', scale: 1.5 },
        },
      }),
    ).to.have.members([
      '/meter/value value_required',
      '/meter/filter invalid_filter',
      '/query/to range_empty',
      '/query/timezone unknown_time_zone',
      '/query/groupBy/1 unknown_dimension',
      '/query/filter unknown_dimension',
      '/query/initialLevel value_not_a_number',
      '/query/initialLevel level_not_used',
      '/query/initialLevel level_of_groups',
      '/query/rounding/scale out_of_range',
    ]);
  });

  it('takes so many events and no more', () => {
    const events = Array.from({ length: EVALUATION_EVENTS_MAX }, () =>
      event('2026-03-02T00:00:00Z', { n: 1 }),
    );
    expect(values(evaluate(events))).to.deep.equal([String(EVALUATION_EVENTS_MAX)]);
    expect(codesOf({}, [...events, events[0]!])).to.deep.equal(['/events too_many_events']);
  });

  it('takes so many windows and rows and no more, whether they have rows or not', () => {
    const minutes = (count: number): Asked => ({
      query: { window: 'minute', to: MARCH.query.from + count * MICROS_PER_MINUTE },
    });
    expect(evaluate([], minutes(EVALUATION_ROWS_MAX)).rows).to.have.length(EVALUATION_ROWS_MAX);
    expect(codesOf(minutes(EVALUATION_ROWS_MAX + 1))).to.deep.equal(['/query/window too_many_rows']);
    const grouped = minutes(EVALUATION_ROWS_MAX + 1);
    expect(codesOf({ query: { ...grouped.query, groupBy: ['model'] } })).to.deep.equal([
      '/query/window too_many_rows',
    ]);
    const days = 101;
    const held = Array.from({ length: 100 }, (_, n) =>
      event('2026-03-01T00:00:00Z', { n: 1, model: `m${n}` }),
    );
    expect(
      codesOf(
        {
          meter: { aggregation: 'timeWeightedSum' },
          query: { window: 'day', to: MARCH.query.from + days * MICROS_PER_DAY, groupBy: ['model'] },
        },
        held,
      ),
    ).to.deep.equal(['/query/window too_many_rows']);
  });

  it('is answered in steps, at least one for each event and row', () => {
    const steps = evaluationSteps({
      ...MARCH,
      events: Array.from({ length: 7 }, () => event('2026-03-02T00:00:00Z', { n: 1 })),
      query: { ...MARCH.query, window: 'day' },
    });
    expect([...steps]).to.have.length.at.least(7 + 31);
  });
});
