import { join } from 'node:path';
import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import { readBackfill, type Backfill } from '#infra/backfill/backfill.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { LOCAL_FEEDS, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermarks } from '#infra/usage/watermark.ts';
import { startChild } from '#test/support/child-process.ts';
import { eventually } from '#test/support/eventually.ts';
import { drained, inLocalDirectory, NAMESPACE, openStores } from '#test/support/local-stores.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';

const BATCH = join(import.meta.dirname, '../../../pipelines/batch/main.ts');
const SOURCE = 'urn:svc:chat';
const DAYS = 12;
const EVENTS_PER_DAY = 60;

interface Said {
  readonly id: string;
  readonly subject: string;
  readonly time: Instant;
  readonly data: { readonly v: string; readonly m: string; readonly u: string };
}

/** The same for every run but for the day it ends on: no draw is needed to have every subject, model and hour. */
const said = (id: number, time: Instant): Said => ({
  id: `e-${id}`,
  subject: `s-${id % 5}`,
  time,
  data: { v: `${id % 7}.${id % 10}`, m: id % 3 === 0 ? 'free' : `m${id % 2}`, u: `u-${id % 11}` },
});

const eventsOf = (firstDay: number): Said[] =>
  Array.from({ length: DAYS * EVENTS_PER_DAY }, (_, i) => {
    const day = firstDay + Math.floor(i / EVENTS_PER_DAY);
    return said(i, dayStart(day) + (i % EVENTS_PER_DAY) * 0.3 * MICROS_PER_HOUR);
  });

const publish = async ({ topic }: LocalStores, events: readonly Said[]): Promise<void> => {
  await topic.publish(
    events.map(({ id, subject, time, data }) => ({
      data: new TextEncoder().encode(
        JSON.stringify({
          specversion: '1.0',
          type: 'use',
          source: SOURCE,
          id,
          subject,
          time: formatInstant(time),
          data,
        }),
      ),
    })),
  );
};

const name = { namespace: NAMESPACE, meter: 'tokens', version: 2 };
const METERS = {
  tokens: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' },
  users: { name: 'Users', eventType: 'use', aggregation: 'unique', value: 'u' },
} as const;
const NEXT = { ...METERS.tokens, dimensions: { model: 'm' }, filter: "data.m != 'free'" } as const;

/** Thousandths, counted by whole numbers. */
function expected(events: Iterable<Said>, counts: (event: Said) => boolean): Map<string, number> {
  const sums = new Map<string, number>();
  for (const event of events) {
    if (!counts(event)) continue;
    const key = `${event.subject} ${dayOf(event.time)}`;
    sums.set(key, (sums.get(key) ?? 0) + Math.round(Number(event.data.v) * 1_000));
  }
  return sums;
}

async function answered(
  { database }: LocalStores,
  firstDay: number,
  days: number,
): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (let s = 0; s < 5; s++) {
    const subject = `s-${s}`;
    const { rows, dirty } = await readUsage(database, {
      ...{ namespace: NAMESPACE, meter: 'tokens', subjects: [subject], window: 'day', timezone: 'UTC' },
      ...{ from: dayStart(firstDay), to: dayStart(firstDay + days), groupBy: [], filter: {} },
    });
    expect(dirty).to.equal(false);
    for (const { from, value } of rows)
      if (value !== '0' && value !== null)
        sums.set(`${subject} ${dayOf(from)}`, Math.round(Number(value) * 1_000));
  }
  return sums;
}

describe('backfill of a meter version on the embedded stores', () => {
  it('is exact after a SIGKILL in the middle, beside a stream with late events, duplicates and voids; the server ends it; a revert gives the old answers', () =>
    inLocalDirectory(async (directory, { defer }) => {
      const stores = await openStores(directory);
      defer(() => stores.close());
      for (const [key, definition] of Object.entries(METERS))
        await putMeter(stores.database, { namespace: NAMESPACE, key, definition });
      const firstDay = dayOf(systemScheduler.now()) - DAYS - 2;
      const events = eventsOf(firstDay);
      const first = startPipeline({ directory, worker: 'first' });
      defer(() => first.kill());
      await publish(stores, [...events, ...events.slice(10, 40)]);
      await drained(stores, first.errorText);
      await first.stop();

      await putMeter(stores.database, { namespace: NAMESPACE, key: 'tokens', definition: NEXT });
      const request = {
        namespace: NAMESPACE,
        key: 'tokens',
        version: 2,
        principal: 'test',
        reason: 'a test',
      };
      const days = { from: dayStart(firstDay), to: dayStart(firstDay + DAYS + 2) };
      const start = (): Promise<{ result: { backfill: Backfill } }> =>
        stores.database.transact((tx) =>
          startBackfill(tx, { ...request, ...days, now: systemScheduler.now() }),
        );
      await start();
      await killInTheMiddle(stores, directory, defer);

      // From here on the stream goes on, and its process takes the backfill up by itself.
      const second = startPipeline({ directory, worker: 'second' });
      defer(() => second.kill());
      const late = Array.from({ length: 60 }, (_, i) =>
        said(100_000 + i, dayStart(firstDay + (i % DAYS)) + i * 1_000_000),
      );
      const voided = new Set(['e-7', 'e-8', 'e-100', 'e-500', 'e-701']);
      await publish(stores, [...late, ...late.slice(0, 20), ...events.slice(100, 130)]);
      const context = { ...stores, slot: 0, clock: systemScheduler.now };
      for (const id of voided) await voidEvent(context, { namespace: NAMESPACE, source: SOURCE, id });
      expect((await start()).result.backfill.version, 'asked again, it is the same').to.equal(2);
      await eventually('the backfill is complete', async () => (await stateOf(stores)) === 'complete', {
        explain: second.errorText,
      });
      await drained(stores, second.errorText);

      const live = [...events, ...late].filter(({ id }) => !voided.has(id));
      const before = expected(live, () => true);
      expect(await answered(stores, firstDay, DAYS + 2), 'before the switch').to.deep.equal(sorted(before));
      const now = systemScheduler.now();
      await stores.database.transact((tx) => activateMeter(tx, { ...request, now }));
      const after = expected(live, ({ data }) => data.m !== 'free');
      expect(await answered(stores, firstDay, DAYS + 2), 'after the switch').to.deep.equal(sorted(after));
      await stores.database.transact((tx) => revertMeter(tx, { ...request, now }));
      expect(await answered(stores, firstDay, DAYS + 2), 'after the revert').to.deep.equal(sorted(before));
      await second.stop();
    })).timeout(240_000);
});

/** As the answers come: subject by subject, day by day. */
const sorted = (sums: Map<string, number>): Map<string, number> =>
  new Map([...sums].filter(([, sum]) => sum !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));

const stateOf = async ({ database }: LocalStores): Promise<string | undefined> =>
  (await readBackfill(database, name))?.state;

/** Without a pipeline nothing moves the watermark but this. */
async function killInTheMiddle(
  stores: LocalStores,
  directory: string,
  defer: (end: () => Promise<unknown>) => void,
): Promise<void> {
  const watermarks = async (): Promise<void> => {
    const feeds = (['usage', 'api'] as const).map((feed) => ({
      ...{ feed, worker: 'test', latenessMicros: 0, topic: stores.topics[feed] },
      namespace: LOCAL_FEEDS[feed].rule.kind === 'fixed' ? NAMESPACE : null,
    }));
    await storeWatermarks(stores.database, feeds);
  };
  const batch = startChild(BATCH, [`--directory=${directory}`, '--log-level=warn']);
  defer(() => batch.kill());
  await eventually(
    'some parts are counted',
    async () => {
      await watermarks();
      return ((await readBackfill(stores.database, name))?.partsDone ?? 0) >= 3;
    },
    { explain: batch.errorText },
  );
  await batch.kill();
  const backfill = await readBackfill(stores.database, name);
  expect(backfill?.state, 'it was killed in the middle').to.equal('counting');
  expect(backfill?.partsDone).to.be.lessThan(backfill?.parts ?? 0);
}
