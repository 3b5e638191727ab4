import { expect } from 'chai';
import { dayOf, dayStart } from '#domain/instant.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { createReconciliation, readReconciliation } from '#infra/reconcile/reconciliations.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { watermark } from '#infra/usage/tables.ts';
import { emptyReport } from '#pipelines/reconcile/report-day.ts';
import {
  reportDay,
  workOnReconciliation,
  type ReconcileSpan,
} from '#pipelines/reconcile/work-on-reconciliation.ts';
import { createVirtualTime } from '../runner/virtual-time.ts';

const NAMESPACE = 'default';
const WORKER = 'w';
const MINUTE_MS = 60_000;

/** A reconciliation of yesterday, of one meter, and an engine that compares its day when the test says so. */
async function openScene() {
  const { schedule, scheduler, pass } = createVirtualTime();
  const database = openHostile({ tables: CLOUD_TABLES, schedule, faults: noFaults });
  await putMeter(database, {
    ...{ namespace: NAMESPACE, key: 'calls' },
    definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
  });
  const today = dayStart(dayOf(scheduler.now()));
  const { result } = await database.transact((tx) =>
    createReconciliation(tx, {
      ...{ namespace: NAMESPACE, from: dayStart(dayOf(today) - 1), to: today },
      ...{ principal: 'test', reason: 'a test', now: scheduler.now() },
    }),
  );
  const work = { namespace: NAMESPACE, id: result.id, worker: WORKER, scheduler };
  const compared = Promise.withResolvers<void>();
  const waitedFor: (string | null)[] = [];
  const reconcileSpan: ReconcileSpan = async ({ meter, firstDay, endDay }) => {
    await compared.promise;
    for (let day = firstDay; day < endDay; day++) {
      await reportDay(database, work, { meter, report: emptyReport(day) });
      waitedFor.push((await readReconciliation(database, work)).waitsFor);
    }
  };
  const unasked = (): never => {
    throw new Error('the days are compared elsewhere');
  };
  const warehouse = { query: unasked, meteredEvents: unasked };
  return {
    ...{ pass, scheduler, compared: compared.resolve },
    /** As told with the report of each day. */
    waitedFor,
    done: workOnReconciliation({ database, warehouse }, { ...work, reconcileSpan }),
    row: () => readReconciliation(database, work),
    /** Everything up to now is committed. */
    moveWatermark: () =>
      database.transact(async (tx) => {
        const now = scheduler.now();
        const of = { feed: 'usage', worker: 'p', namespace: NAMESPACE, latenessMicros: 0 };
        tx.upsert(watermark, { ...of, committedThrough: now, heartbeatAt: now });
      }),
  };
}

describe('a reconciliation whose days are compared elsewhere', () => {
  it('tells what the view lacks for as long as it lacks it, and in the end waits for nothing', async () => {
    const { pass, done, row, moveWatermark, compared } = await openScene();
    await pass(MINUTE_MS);
    expect(await row()).to.include({ state: 'running', waitsFor: 'watermark' });
    await moveWatermark();
    await pass(MINUTE_MS);
    expect(await row()).to.include({ state: 'running', waitsFor: null });
    compared();
    expect(await done).to.include({ state: 'done', waitsFor: null });
  });

  it('waits for nothing any more once a day is reported', async () => {
    const { pass, done, row, compared, waitedFor } = await openScene();
    await pass(MINUTE_MS);
    expect(await row()).to.include({ waitsFor: 'watermark' });
    compared();
    await done;
    expect(waitedFor).to.deep.equal([null]);
  });

  it('stays its worker’s however long that takes', async () => {
    const { pass, done, row, scheduler, compared } = await openScene();
    for (let minute = 0; minute < 10; minute++) {
      await pass(MINUTE_MS);
      const { worker, leaseUntil } = await row();
      expect(worker).to.equal(WORKER);
      expect(leaseUntil).to.be.above(scheduler.now());
    }
    compared();
    await done;
  });
});
