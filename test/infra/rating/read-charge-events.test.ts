import { expect } from 'chai';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { EVENTS_PER_LINE_MAX } from '#domain/limits.ts';
import { readChargeEvents } from '#infra/rating/read-charge-events.ts';
import type { EventsWanted } from '#infra/rating/read-charge-usage.ts';
import type { QueryParameters, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { instant, NAMESPACE } from '#test/infra/usage/usage-fixture.ts';

const START = instant('2026-03-01T00:00:00Z');
/** As many as one question to the warehouse may name, and some more. */
const SUBJECTS = Array.from({ length: 1_500 }, (_, at) => `s${at}`);

/** Events a microsecond apart, of all subjects in turn, as `events_exact` gives them: too many to be written for a test. */
const warehouseOf = (events: number) => ({
  async *query(name: string, { subjects, limit, afterTime }: QueryParameters): AsyncGenerator<WarehouseRow> {
    expect(name).to.equal('events_exact');
    const asked = new Set(subjects as readonly string[]);
    const begin = typeof afterTime === 'string' ? (parseRfc3339(afterTime)?.at ?? START) - START + 1 : 0;
    for (let [at, rows] = [begin, 0]; at < events && rows < Number(limit); at++) {
      const subject = SUBJECTS[at % SUBJECTS.length] ?? '';
      if (!asked.has(subject)) continue;
      rows++;
      const time = formatInstant(START + at);
      yield {
        identity: 'i',
        digest: '01',
        id: 'e',
        source: 's',
        type: 'use',
        subject,
        time,
        data: `{"v":${at}}`,
      };
    }
  },
});

const wanted = (subjects: EventsWanted['subjects']): EventsWanted => ({
  pointer: '/charges/0',
  meter: {
    key: 'm',
    version: 1,
    generation: 1,
    definition: { name: 'M', eventType: 'use', aggregation: 'sum', value: 'v' },
    state: 'active',
    since: 1,
    until: null,
  },
  range: { from: START, to: instant('2026-04-01T00:00:00Z') },
  subjects,
});

describe('the events behind a line', () => {
  it('are all there, once and in order, over many pages and more subjects than one question names', async () => {
    const events = await readChargeEvents(warehouseOf(120_000), NAMESPACE, wanted(SUBJECTS));
    expect(events).to.have.length(120_000);
    expect(events.every(({ value }, at) => value.eq(at))).to.equal(true);
  });

  it('are only those of when a subject was the customer’s', async () => {
    const spans = [{ from: instant('2026-03-02T00:00:00Z'), to: instant('2026-03-03T00:00:00Z') }];
    const events = await readChargeEvents(
      warehouseOf(3_000),
      NAMESPACE,
      wanted(['s0', { subject: 's1', spans }]),
    );
    expect(events.map(({ value }) => value.toFixed())).to.deep.equal(['0', '1500']);
  });

  it('are refused by name when they are more than a line may have', async () => {
    const reading = readChargeEvents(warehouseOf(EVENTS_PER_LINE_MAX + 1), NAMESPACE, wanted(SUBJECTS));
    const refused: unknown = await reading.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).to.deep.include({ code: 'invalid_query' });
    expect((refused as { violations: object[] }).violations).to.have.length(1);
    expect((refused as { violations: object[] }).violations[0]).to.include({
      pointer: '/charges/0',
      code: 'too_many_events',
    });
  });
});
