import { BigQuery } from '@google-cloud/bigquery';
import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { CloudStores } from '#infra/cloud/open-cloud.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { cloudEnvironment, openCloudStores } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { planUsage, type PlannedMessage } from '#test/support/reference-plan.ts';
import { startWorker, type WorkerProcess } from '#test/support/worker-process.ts';
import { expectAgreement } from './agreement.ts';
import { inBatches } from './batches.ts';
import {
  billEverything,
  faultsOfNumbers,
  invoicesOf,
  sellPlannedUsage,
  unprovedInvoices,
} from './billed-usage.ts';
import { putRows, rowsAt } from './database-at.ts';
import { expectSame } from './differences.ts';
import { withSeed } from './seeds.ts';
import { storedThrough } from './stored-through.ts';
import { lastRolledDay, pictureOf } from './usage-picture.ts';

const EVENTS = 450;
const DAYS = 4;
/** What a worker held that is gone comes back after some acknowledgement deadlines. */
const PATIENCE_MS = 240_000;

/** The steps are those of docs/runbooks/disaster-recovery.md, in their order. */
describe('a Spanner database that is lost, and restored as it was some time ago', function () {
  this.timeout(900_000);
  const emulators = useEmulators();
  const workers = new Set<WorkerProcess>();
  const opened: CloudStores[] = [];
  let environment: Record<string, string>;

  const open = async (of: Record<string, string>): Promise<CloudStores> => {
    const stores = await openCloudStores(of);
    opened.push(stores);
    return stores;
  };
  const start = async (of: Record<string, string>): Promise<WorkerProcess> => {
    const worker = startWorker({ ...of, MILLRACE_BATCH_MESSAGES: '100' });
    workers.add(worker);
    await worker.ready;
    return worker;
  };
  const stop = async (worker: WorkerProcess): Promise<void> =>
    void expect(await worker.stop(), worker.errorText()).to.deep.equal({ code: 0, signal: null });

  after('workers and stores', async () => {
    await Promise.all([...workers].map((worker) => worker.kill()));
    await Promise.all(opened.map((stores) => stores.close()));
  });

  it('comes to the same totals, cells and fingerprints, and keeps the numbers of its invoices', () =>
    withSeed(async (draw) => {
      environment = cloudEnvironment(emulators);
      const stores = await open(environment);
      for (const [key, definition] of Object.entries(REFERENCE_METERS))
        await putMeter(stores.database, { namespace: NAMESPACE, key, definition });
      await sellPlannedUsage(stores, DAYS);
      const options = { events: EVENTS, days: DAYS, refusals: false, conflicts: false };
      const plan = planUsage(draw, systemScheduler.now(), options);
      const third = Math.ceil(plan.messages.length / 3);
      const publish = (part: number): Promise<Instant> =>
        publishAll(stores, inBatches(draw, plan.messages.slice(part * third, (part + 1) * third)));

      const worker = await start(environment);
      await isIn(stores, await publish(0), worker);
      await billEverything(stores, 2);
      const issued = await invoicesOf(stores);
      expect(issued).not.to.be.empty;
      expect(issued.filter(({ state }) => state !== 'issued')).to.deep.equal([]);

      // The moment that is restored lies in the middle of the work: messages are pulled and not yet committed.
      const publishing = publish(1);
      const moment = await nowOf(stores);
      await publishing;
      const last = await publish(2);
      await isIn(stores, last, worker);
      await stop(worker);
      await expectAgreement(stores, plan);
      const rolled = await lastRolledDay(stores.database);
      const before = await pictureOf(stores.database, plan, rolled);

      const backup = await rowsAt(stores.database, CLOUD_TABLES, moment);
      const restoredIn = { ...environment, MILLRACE_SPANNER_DATABASE: `${emulators.spannerDatabase}-r` };
      const restored = await open(restoredIn);
      await putRows(restored.database, backup);
      await forgetAppendsAfter(moment);
      const through = await storedThrough(restored.database);
      expect(through).to.be.above(0);
      for (const { topic } of restored.feeds) await topic.seek(through);
      const next = await start(restoredIn);
      await isIn(restored, last, next);
      await eventually(
        'days are rolled as before',
        async () => (await lastRolledDay(restored.database)) >= rolled,
      );
      await stop(next);

      await expectAgreement(restored, plan);
      expectSame('usage after the recovery', await pictureOf(restored.database, plan, rolled), before);
      expect(await invoicesOf(restored)).to.deep.equal(issued);
      expect(await unprovedInvoices(restored)).to.deep.equal([]);

      // What has come since is billed now, under the numbers that follow.
      await billEverything(restored);
      const now = await invoicesOf(restored);
      expect(now.slice(0, issued.length)).to.deep.equal(issued);
      expect(now.length).to.be.above(issued.length);
      expect(await faultsOfNumbers(restored)).to.deep.equal([]);
      expect(await unprovedInvoices(restored)).to.deep.equal([]);
    }));

  /** Leaves in the warehouse what was committed by the moment, as if it had been restored with the database. */
  async function forgetAppendsAfter(moment: Instant): Promise<void> {
    const bigquery = new BigQuery({
      ...{ projectId: emulators.projectId, apiEndpoint: emulators.bigquery.rest },
      ...{ maxRetries: 0, autoRetry: false },
    });
    await bigquery.query({
      query: `DELETE FROM ${emulators.bigqueryDataset}.events WHERE time > TIMESTAMP '2000-01-01' AND committed_at > @moment`,
      params: { moment: BigQuery.timestamp(formatInstant(moment)) },
    });
  }
});

/** When all of it was in the topic. */
async function publishAll(
  { feeds }: CloudStores,
  batches: readonly (readonly PlannedMessage['text'][])[],
): Promise<Instant> {
  const usage = feeds.find(({ feed }) => feed === 'usage')!;
  for (const batch of batches) await usage.topic.publish(batch.map((text) => ({ data: Buffer.from(text) })));
  return systemScheduler.now();
}

/** Everything published before is committed, appended and acknowledged, and the database knows. */
const isIn = ({ database }: CloudStores, published: Instant, worker: WorkerProcess): Promise<void> =>
  eventually(
    'the watermark passes what is published',
    async () => (await storedThrough(database)) > published,
    {
      patienceMs: PATIENCE_MS,
      explain: worker.errorText,
    },
  );

async function nowOf({ database }: CloudStores): Promise<Instant> {
  const snapshot = await database.snapshot();
  await snapshot.close();
  return snapshot.at;
}
