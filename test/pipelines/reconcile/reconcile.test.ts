import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import { packDayCell, unpackDayCell, type DayCell } from '#domain/metering/day-cell.ts';
import { addToHourCell, unpackHourCell } from '#domain/metering/hour-cell.ts';
import { auditEntry } from '#infra/audit/tables.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { localCommitContext, LOCAL_FEEDS, type LocalStores } from '#infra/local/open-local.ts';
import {
  createReconciliation,
  listDifferences,
  readReconciliation,
} from '#infra/reconcile/reconciliations.ts';
import type { ReconciliationRow } from '#infra/reconcile/tables.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { usageDay, usageHour } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermarks } from '#infra/usage/watermark.ts';
import { recountDirtyDays } from '#pipelines/reconcile/recount-dirty-days.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { inLocalDirectory, NAMESPACE, openStores } from '#test/support/local-stores.ts';

const SOURCE = 'urn:svc:chat';
const today = dayOf(systemScheduler.now());
const DAY = today - 3;
const at = (day: number, hour: number): Instant => dayStart(day) + hour * MICROS_PER_HOUR;

let messages = 0;
async function commit(stores: LocalStores, id: string, time: Instant, v: string): Promise<void> {
  const event = {
    specversion: '1.0',
    type: 'use',
    source: SOURCE,
    id,
    subject: 'acme',
    time: formatInstant(time),
    data: { v, m: 'm1' },
  };
  const message = {
    ...{ id: `m-${++messages}`, ackId: 'a', attempt: 1, attributes: {}, publishTime: systemScheduler.now() },
    data: new TextEncoder().encode(JSON.stringify(event)),
  };
  const delivery = parseDelivery({ kind: 'fixed', namespace: NAMESPACE }, message);
  const committed = await commitDeliveries(localCommitContext(stores.database, systemScheduler.now), [
    delivery,
  ]);
  await appendEventRows(stores, eventRowsOf(committed));
}

/** All that a pipeline does for the watermark. */
async function moveWatermark(stores: LocalStores): Promise<void> {
  const feeds = (['usage', 'api'] as const).map((feed) => ({
    ...{ feed, worker: 'test', latenessMicros: 0, topic: stores.topics[feed] },
    namespace: LOCAL_FEEDS[feed].rule.kind === 'fixed' ? NAMESPACE : null,
  }));
  await storeWatermarks(stores.database, feeds);
}

/** Time that lets the watermark move whenever somebody waits for it. */
const schedulerOf = (stores: LocalStores) => ({
  now: systemScheduler.now,
  sleep: () => moveWatermark(stores),
});

async function reconcile(
  stores: LocalStores,
  options: { readonly repair?: boolean; readonly trustView?: boolean } = {},
): Promise<ReconciliationRow> {
  const { database } = stores;
  const { result } = await database.transact((tx) =>
    createReconciliation(tx, {
      ...{ namespace: NAMESPACE, from: dayStart(DAY), to: dayStart(today + 1), ...options },
      ...{ principal: 'test', reason: 'a test', now: systemScheduler.now() },
    }),
  );
  const name = { namespace: NAMESPACE, id: result.id };
  return workOnReconciliation(stores, { ...name, worker: 'test', scheduler: schedulerOf(stores) });
}

const kindsOf = async ({ database }: LocalStores, { namespace, id }: ReconciliationRow): Promise<string[]> =>
  (await listDifferences(database, { namespace, id }, { limit: 100 })).map(
    ({ meter, cell, kind, outcome }) =>
      `${meter} ${String((JSON.parse(cell) as unknown[])[0])} ${kind} ${outcome}`,
  );

const total = async ({ database }: LocalStores, meter: string): Promise<string | null | undefined> => {
  const { rows, dirty } = await readUsage(database, {
    ...{
      namespace: NAMESPACE,
      meter,
      subjects: ['acme'],
      window: 'none',
      timezone: 'UTC',
      groupBy: [],
      filter: {},
    },
    ...{ from: dayStart(DAY), to: dayStart(today + 1) },
  });
  expect(dirty, `${meter} is not dirty`).to.equal(false);
  return rows[0]?.value;
};

const scene = (test: (stores: LocalStores) => Promise<void>) => () =>
  inLocalDirectory(async (directory, { defer }) => {
    const stores = await openStores(directory);
    defer(() => stores.close());
    const use = { eventType: 'use', value: 'v' };
    const meters = [
      ['sum', { name: 'S', aggregation: 'sum', ...use, dimensions: { model: 'm' } }],
      ['max', { name: 'M', aggregation: 'max', ...use }],
      ['level', { name: 'L', aggregation: 'timeWeightedSum', ...use }],
      ['users', { name: 'U', aggregation: 'unique', ...use }],
    ] as const;
    for (const [key, definition] of meters)
      await putMeter(stores.database, { namespace: NAMESPACE, key, definition });
    await commit(stores, 'e-1', at(DAY, 5), '1');
    await commit(stores, 'e-2', at(DAY, 5) + 1_000_000, '2.5');
    await commit(stores, 'e-3', at(DAY, 20), '7');
    await commit(stores, 'e-4', at(DAY + 1, 1), '4');
    await commit(stores, 'e-5', at(today, 0), '8');
    while ((await rollDays(stores.database, NAMESPACE, dayStart(today))) > 0);
    await test(stores);
  });

describe('reconciliation of cells with raw events', () => {
  it(
    'finds nothing where all is right, on rolled days and today',
    scene(async (stores) => {
      const done = await reconcile(stores);
      expect([done.state, done.differences]).to.deep.equal(['done', 0]);
      expect(done.compared).to.be.greaterThan(0);
    }),
  );

  it(
    'reports every cell that is wrong, missing or one too many, repairs what the view proves, and leaves a record of it',
    scene(async (stores) => {
      const right = await Promise.all(['sum', 'max', 'level', 'users'].map((meter) => total(stores, meter)));
      await spoil(stores);
      const found = await reconcile(stores);
      expect((await kindsOf(stores, found)).sort()).to.deep.equal([
        'level hour missing reported',
        'max hour surplus reported',
        'sum day value reported',
        'sum hour value reported',
      ]);
      const repaired = await reconcile(stores, { repair: true });
      expect((await kindsOf(stores, repaired)).filter((text) => !text.endsWith('repaired'))).to.deep.equal([
        'max hour surplus view_incomplete',
      ]);
      expect((await reconcile(stores, { repair: true, trustView: true })).repaired).to.equal(1);
      expect((await reconcile(stores)).differences, 'nothing is left').to.equal(0);
      expect(
        await Promise.all(['sum', 'max', 'level', 'users'].map((meter) => total(stores, meter))),
      ).to.deep.equal(right);
      const entries = await Array.fromAsync(stores.database.scan(auditEntry, { prefix: [NAMESPACE] }));
      const repairs = entries.filter(({ action }) => action === 'reconciliation.repair');
      expect(repairs.map(({ details }) => details['meter']).sort()).to.deep.equal(['level', 'max', 'sum']);
      const [change] = repairs.find(({ details }) => details['meter'] === 'sum')?.details['changes'] as {
        before: object;
        after: object;
      }[];
      expect([change?.before, change?.after]).to.deep.include.members([
        { events: 2, value: '103.5', fingerprint: (change?.after as { fingerprint: string }).fingerprint },
      ]);
    }),
  );

  it(
    'goes on where it was broken off',
    scene(async (stores) => {
      await spoil(stores);
      const { database } = stores;
      const { result } = await database.transact((tx) =>
        createReconciliation(tx, {
          ...{ namespace: NAMESPACE, from: dayStart(DAY), to: dayStart(today + 1) },
          ...{ principal: 'test', reason: '', now: systemScheduler.now() },
        }),
      );
      const name = { namespace: NAMESPACE, id: result.id };
      const stop = new AbortController();
      const broken = await workOnReconciliation(stores, {
        ...{ ...name, worker: 'test', scheduler: schedulerOf(stores), signal: stop.signal },
        onProgress: (done) => {
          if (done === 5) stop.abort();
        },
      }).catch((error: unknown) => error);
      expect(String(broken)).to.contain('Abort');
      const between = await readReconciliation(database, name);
      expect([between.state, between.atVersion * 4 + between.atDay - DAY]).to.deep.equal(['running', 5]);
      const done = await workOnReconciliation(stores, {
        ...name,
        worker: 'test',
        scheduler: schedulerOf(stores),
      });
      expect([done.state, done.differences]).to.deep.equal(['done', 4]);
    }),
  );

  it(
    'computes cells again that a void left dirty, once the view has the same events',
    scene(async (stores) => {
      const { database } = stores;
      await voidEvent(
        { ...stores, slot: 0, clock: systemScheduler.now },
        { namespace: NAMESPACE, source: SOURCE, id: 'e-2' },
      );
      const rows = await Array.fromAsync(database.scan(usageHour, { prefix: [NAMESPACE, 'acme', 'max'] }));
      expect(rows.filter(({ dirty }) => dirty)).to.have.length(1);
      const { repaired, left } = await recountDirtyDays({ ...stores, scheduler: schedulerOf(stores) });
      expect([repaired, left]).to.deep.equal([1, 0]);
      expect(await total(stores, 'max')).to.equal('8');
      expect(await recountDirtyDays({ ...stores, scheduler: schedulerOf(stores) })).to.deep.equal({
        repaired: 0,
        left: 0,
      });
      expect((await reconcile(stores)).differences).to.equal(0);
    }),
  );
});

/** A value of a sum, a level's hour, and a maximum of an hour that had nothing. */
async function spoil({ database }: LocalStores): Promise<void> {
  const rowsOf = (meter: string) =>
    Array.fromAsync(database.scan(usageHour, { prefix: [NAMESPACE, 'acme', meter] }));
  const [sum] = (await rowsOf('sum')).filter(({ view }) => view === 0);
  const [level] = await rowsOf('level');
  const [max] = await rowsOf('max');
  if (sum === undefined || level === undefined || max === undefined) throw new Error('the cells are there');
  const cell = unpackHourCell('sum', sum);
  for (const minute of cell.minutes.values()) minute.value = 100 + 3.5;
  const [days] = await Array.fromAsync(database.scan(usageDay, { prefix: [NAMESPACE, 'acme', 'sum', 1, 0] }));
  await database.transact(async (tx) => {
    const wrong = addToHourCell(
      undefined,
      'sum',
      [...cell.minutes].map(([minute, accumulator]) => ({
        minute,
        accumulator: { ...accumulator, value: 103_500_000_000_000_000_000n },
      })),
    );
    tx.upsert(usageHour, { ...sum, ...wrong });
    if (days !== undefined)
      tx.upsert(usageDay, { ...days, ...packDayCell('sum', raised(unpackDayCell('sum', days))) });
    tx.delete(usageHour, [NAMESPACE, 'acme', 'level', 1, 0, level.hour, '', 0]);
    tx.upsert(usageHour, { ...max, hour: max.hour + 3 });
  });
}

const raised = (cell: DayCell): DayCell => ({ ...cell, totals: { ...cell.totals, value: 99 } });
