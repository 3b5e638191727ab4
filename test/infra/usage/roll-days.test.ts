import { expect } from 'chai';
import { dayOf, dayStart } from '#domain/instant.ts';
import { toScaled } from '#domain/metering/quantity.ts';
import { unpackDayCell } from '#domain/metering/day-cell.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue, meterVersion } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { usageDay } from '#infra/usage/tables.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  expectUsage,
  instant,
  NAMESPACE,
  NOON,
  openStores,
  SUM_METER,
} from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const TODAY = dayOf(NOON);

const on = (id: string, time: string, v = '1') => delivery({ id, time, data: { v, u: 'ann', m: 'm1' } });
const rolledThrough = ({ database }: Stores): number => database.rows(catalogue)[0]?.rolledThrough ?? -1;
const rolledDays = ({ database }: Stores): number[] => [
  ...new Set(database.rows(usageDay).map(({ day }) => day)),
];

describe('rolling days', () => {
  it('writes the row of each complete day from its hour cells, and nothing of a day that is not over', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [
      on('e-1', '2026-03-08T23:59:59.999999Z'),
      on('e-2', '2026-03-09T00:00:00Z', '3'),
      on('e-3', '2026-03-10T00:00:00Z'),
    ];
    await commit(stores, events);
    expect(await rollDays(stores.database, NAMESPACE, instant('2026-03-09T23:59:59.999999Z'))).to.equal(1);
    expect(rolledDays(stores)).to.deep.equal([TODAY - 2]);
    await rollDays(stores.database, NAMESPACE, instant('2026-03-10T00:00:00Z'));
    expect(rolledDays(stores)).to.deep.equal([TODAY - 2, TODAY - 1]);
    expectUsage(stores, { live: events, rolledThrough: rolledThrough(stores) });
  });

  it('rolls each of many series by itself, however many are rolled together, and whatever their subjects are called', async () => {
    const stores = await openStores(ALL_METERS);
    const subjects = [
      'a',
      'a-',
      'ab',
      'b',
      'ä',
      '\u{1F600}',
      ...Array.from({ length: 60 }, (_, at) => `s-${at}`),
    ];
    const events = subjects.flatMap((subject, at) =>
      ['2026-03-09T10:00:00Z', '2026-03-09T10:30:00Z', '2026-03-09T23:00:00Z'].map((time, hour) =>
        delivery({
          id: `e-${at}-${hour}`,
          subject,
          time,
          data: { v: `${at + hour}`, u: 'ann', m: `m${hour}` },
        }),
      ),
    );
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    expectUsage(stores, { live: events, rolledThrough: TODAY - 1 });
  });

  it('puts the slots of a cell together', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [
      on('e-1', '2026-03-09T10:00:00Z', '2'),
      on('e-2', '2026-03-09T10:00:00Z', '5'),
      on('e-3', '2026-03-09T10:01:00Z', '9'),
    ];
    for (const [slot, each] of events.entries()) await commit(stores, [each], slot);
    await rollDays(stores.database, NAMESPACE, NOON);
    expectUsage(stores, { live: events, rolledThrough: TODAY - 1 });
  });

  it('repeated, changes nothing', async () => {
    const stores = await openStores(ALL_METERS);
    await commit(stores, [on('e-1', '2026-03-09T10:00:00Z')]);
    await rollDays(stores.database, NAMESPACE, NOON);
    const rows = stores.database.rows(usageDay);
    expect(await rollDays(stores.database, NAMESPACE, NOON)).to.equal(0);
    expect(stores.database.rows(usageDay)).to.deep.equal(rows);
  });

  it('is followed by late events, which write their day rows themselves and raise every later level', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [on('e-1', '2026-03-07T10:00:00Z', '5'), on('e-2', '2026-03-09T10:00:00Z', '1')];
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    const late = [on('e-3', '2026-03-08T10:00:00Z', '2'), on('e-4', '2026-03-06T10:00:00Z', '-4')];
    for (const each of late) await commit(stores, [each]);
    expectUsage(stores, { live: [...events, ...late], rolledThrough: TODAY - 1 });
    const levels = stores.database.rows(usageDay).filter(({ meter }) => meter === 'level');
    const carries = levels.map((row) => toScaled(unpackDayCell('timeWeightedSum', row).carry) / 10n ** 18n);
    expect(carries).to.deep.equal([0n, -4n, 1n, 3n]);
  });

  it('is followed by a late event in a day without any usage so far: the day gets its row', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [on('e-1', '2026-03-06T10:00:00Z'), on('e-2', '2026-03-09T10:00:00Z')];
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    const late = on('e-3', '2026-03-08T10:00:00Z');
    await commit(stores, [late]);
    expect(rolledDays(stores)).to.include(TODAY - 2);
    expectUsage(stores, { live: [...events, late], rolledThrough: TODAY - 1 });
  });

  it('goes on in the next call after the most days that one call rolls', async () => {
    const stores = await openStores(SUM_METER);
    const [publishTime, time] = [instant('2026-01-01T10:00:00Z'), '2026-01-01T10:00:00Z'];
    const events = [
      delivery({ id: 'e-1', time, publishTime }),
      delivery({ id: 'e-2', time: '2026-03-09T10:00:00Z' }),
    ];
    await commit(stores, events);
    expect(await rollDays(stores.database, NAMESPACE, NOON)).to.equal(60);
    expect(rolledThrough(stores)).to.equal(dayOf(publishTime) + 59);
    expect(await rollDays(stores.database, NAMESPACE, NOON)).to.equal(1);
    expectUsage(stores, { live: events, rolledThrough: TODAY - 1 });
  });

  it('knows a meter that is saved, and counts, while days are being rolled', async () => {
    const stores = await openStores(SUM_METER);
    const first = on('e-1', '2026-03-08T10:00:00Z');
    await commit(stores, [first]);
    const late = on('e-2', '2026-03-09T10:00:00Z');
    let saved = false;
    const database: Database = {
      ...stores.database,
      // As soon as the roller has looked at the meters, another one is saved.
      scan: async function* (table, range, options) {
        yield* stores.database.scan(table, range, options);
        if (table.name !== meterVersion.name || saved) return;
        saved = true;
        await putMeter(stores.database, {
          namespace: NAMESPACE,
          key: 'calls',
          definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
        });
        await commit(stores, [late]);
      },
    };
    await rollDays(database, NAMESPACE, dayStart(TODAY));
    await rollDays(database, NAMESPACE, dayStart(TODAY));
    expectUsage(stores, { live: [first, late], rolledThrough: TODAY - 1 });
  });

  it('of a namespace without usage closes its days and rolls none', async () => {
    const stores = await openStores(SUM_METER);
    expect(await rollDays(stores.database, NAMESPACE, NOON)).to.equal(0);
    expect(stores.database.rows(catalogue)[0]).to.include({ closedThrough: TODAY - 1, rolledThrough: -1 });
  });
});
