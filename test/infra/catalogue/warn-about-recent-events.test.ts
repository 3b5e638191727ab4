import { expect } from 'chai';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { warnAboutRecentEvents } from '#infra/catalogue/warn-about-recent-events.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { instant, NAMESPACE, NOON, openStores, SOURCE } from '#test/infra/usage/usage-fixture.ts';
import { openTemporaryWarehouse } from '#test/infra/warehouse/embedded/temporary.ts';

const meter: MeterDefinition = {
  name: 'Tokens',
  eventType: 'use',
  aggregation: 'sum',
  value: 'tokens',
  filter: "data.model != 'free'",
};

let events = 0;
const row = (said: Partial<EventRow>): EventRow => {
  const id = `e-${++events}`;
  return {
    identity: id.padEnd(16, '\0'),
    digest: id.padEnd(16, '\0'),
    outcome: 'accepted',
    namespace: NAMESPACE,
    id,
    source: SOURCE,
    type: 'use',
    subject: 'acme',
    time: NOON - 60_000_000,
    data: '{"model":"m1","tokens":1}',
    attributes: null,
    publishedAt: NOON,
    committedAt: NOON,
    catalogueVersion: 1,
    matchedMeters: [],
    ...said,
  };
};

const warn = (warehouse: Warehouse, definition: MeterDefinition = meter) =>
  warnAboutRecentEvents({ warehouse }, { namespace: NAMESPACE, key: 'tokens', definition, now: NOON });

const guarantees = (test: (name: string, body: (warehouse: Warehouse) => Promise<void>) => void): void => {
  test('says which recent events it would refuse or not understand, how many, and one of each', async (warehouse) => {
    const missing = [row({ data: '{"model":"m1"}' }), row({ data: '{"model":"m2","tokens":null}' })];
    const unreadable = row({ data: '{"model":"m1","tokens":"many"}' });
    const filterless = row({ data: '{"tokens":1}' });
    const fine = [row({}), row({ data: '{"model":"free"}' })];
    // Copies, other types, conflicts and other namespaces are no events that it would see.
    const others = [
      missing[0]!,
      row({ type: 'other', data: 'null' }),
      row({ outcome: 'conflict', data: '{}' }),
      row({ namespace: 'other', data: '{}' }),
    ];
    await warehouse.appendEvents([...missing, unreadable, filterless, ...fine, ...others]);
    const { examined, warnings } = await warn(warehouse);
    expect(examined).to.equal(6);
    expect(warnings.map(({ code, events: count }) => `${code} ${count}`)).to.have.members([
      'value_missing 2',
      'value_not_a_number 1',
      'filter_error 1',
    ]);
    const about = warnings.find(({ code }) => code === 'value_not_a_number');
    expect(about?.example).to.deep.equal({ source: SOURCE, id: unreadable.id });
    expect(about?.message).to.include('tokens');
  });

  test('looks as far back as a week for events, and says when there are none', async (warehouse) => {
    expect(await warn(warehouse)).to.deep.equal({ examined: 0, warnings: [] });
    await warehouse.appendEvents([
      row({ time: instant('2026-03-04T13:00:00Z'), data: '{"model":"m1"}' }),
      row({ time: instant('2026-03-01T13:00:00Z'), data: '{"model":"m1"}' }),
    ]);
    const { examined, warnings } = await warn(warehouse);
    expect([examined, warnings.length]).to.deep.equal([1, 1]);
    expect(
      (await warn(warehouse, { ...meter, value: 'model', aggregation: 'unique' })).warnings,
    ).to.deep.equal([]);
  });

  test('looks at a thousand events and no more', async (warehouse) => {
    await warehouse.appendEvents(Array.from({ length: 1_100 }, () => row({})));
    expect((await warn(warehouse)).examined).to.equal(1_000);
  });
};

describe('saving a meter, by recent events', () => {
  context('on the embedded warehouse', () => {
    guarantees((name, body) =>
      it(name, async () => {
        const { warehouse, dispose } = await openTemporaryWarehouse();
        try {
          await body(warehouse);
        } finally {
          await dispose();
        }
      }),
    );
  });
  context('on the hostile warehouse', () => {
    guarantees((name, body) =>
      it(name, async () => {
        const { warehouse } = await openStores();
        await body(warehouse);
      }),
    );
  });
});
