import { cp } from 'node:fs/promises';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, type Instant } from '#domain/instant.ts';
import { AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { planParts } from '#infra/backfill/parts.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { backfillPart } from '#infra/backfill/tables.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { meterBackfill } from '#infra/catalogue/tables.ts';
import type { Table } from '#infra/database/table.ts';
import { localCommitContext, LOCAL_FEEDS, type LocalStores } from '#infra/local/open-local.ts';
import { createReconciliation, type ReconciliationName } from '#infra/reconcile/reconciliations.ts';
import { reconciliation, reconciliationDifference } from '#infra/reconcile/tables.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { backfilledValue, distinctValue, usageDay, usageHour } from '#infra/usage/tables.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import { storeWatermarks } from '#infra/usage/watermark.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { runBatch } from '#pipelines/portable/batch/run.ts';
import { NAMESPACE, openStores } from '#test/support/local-stores.ts';

/*
 * A platform with everything that a recount has to bear: all aggregations, dimensions and filters, values of 38 digits, copies, conflicts, voids,
 * restores, late events of both sides of the cut-off, cells that are wrong. It is made once and copied, so that two engines begin with the same bytes.
 */

const SOURCE = 'urn:svc:chat';
export const DAYS = 3;
const SUBJECTS = ['acme', 'zürich/7', '😀', 'a', 'b c', 'd"e', 'f'];
const EVENTS = 600;
const BATCH = 150;
/** As a day of 600,000 events would be cut. */
const SHARDED_EVENTS = 600_000;

export interface Scene {
  readonly directory: string;
  readonly firstDay: number;
  /** Of its meters, one each. */
  readonly aggregations: readonly Aggregation[];
}

interface Said {
  readonly id: string;
  readonly time: Instant;
  readonly subject: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/** No draw: every subject, model and hour comes. */
function said(place: number, firstDay: number, salt = ''): Said {
  const spread = (place * 7_919) % (DAYS * 24 * 60);
  return {
    id: `e${salt}-${place}`,
    time: dayStart(firstDay) + spread * 60_000_000 + ((place * 37) % 60) * 1_000_000 + place,
    subject: SUBJECTS[(place * 5) % SUBJECTS.length] ?? '',
    data: {
      v: `${(place * 104_729) % 100_000_007}.${String((place * 15_485_863) % 999_999_937).padStart(18, '0')}`,
      m: place % 5 === 0 ? 'free' : `m${place % 3}`,
      u: `u-${place % 23}`,
      ...(place % 97 === 0 && { v: 'many' }),
    },
  };
}

/** Keys of meters have no capital letters. */
const keysOf = (aggregations: readonly Aggregation[]) =>
  aggregations.map((aggregation) => [aggregation.toLowerCase(), aggregation] as const);

const definitionOf = (aggregation: Aggregation): MeterDefinition => ({
  ...{ name: aggregation, eventType: 'use', aggregation },
  ...(aggregation === 'count' ? {} : { value: aggregation === 'unique' ? 'u' : 'v' }),
});

async function commit(stores: LocalStores, events: readonly Said[]): Promise<void> {
  for (let first = 0; first < events.length; first += BATCH) {
    const deliveries = events.slice(first, first + BATCH).map((event, place) =>
      parseDelivery(
        { kind: 'fixed', namespace: NAMESPACE },
        {
          ...{ id: `m-${first + place}-${event.id}`, ackId: 'a', attempt: 1, attributes: {} },
          publishTime: systemScheduler.now(),
          data: new TextEncoder().encode(
            JSON.stringify({
              ...{ specversion: '1.0', type: 'use', source: SOURCE, ...event },
              time: formatInstant(event.time),
            }),
          ),
        },
      ),
    );
    const context = localCommitContext(stores.database, systemScheduler.now);
    await appendEventRows(stores, eventRowsOf(await commitDeliveries(context, deliveries)));
  }
}

export async function moveWatermark({ database, topics }: LocalStores): Promise<void> {
  const feeds = (['usage', 'api'] as const).map((feed) => ({
    ...{ feed, worker: 'test', latenessMicros: 0, topic: topics[feed] },
    namespace: LOCAL_FEEDS[feed].rule.kind === 'fixed' ? NAMESPACE : null,
  }));
  await storeWatermarks(database, feeds);
}

/** Time that lets the watermark move whenever somebody waits for it. */
export const schedulerOf = (stores: LocalStores) => ({
  now: systemScheduler.now,
  sleep: async (ms: number, signal?: AbortSignal) => {
    await moveWatermark(stores);
    // A lease is kept at its own pace.
    if (ms > 1_000) await systemScheduler.sleep(ms, signal);
  },
});

export async function makeScene(
  directory: string,
  aggregations: readonly Aggregation[] = AGGREGATIONS,
): Promise<Scene> {
  const stores = await openStores(directory);
  const firstDay = dayOf(systemScheduler.now()) - DAYS - 1;
  try {
    for (const [key, aggregation] of keysOf(aggregations))
      await putMeter(stores.database, { namespace: NAMESPACE, key, definition: definitionOf(aggregation) });
    const events = Array.from({ length: EVENTS }, (_, place) => said(place, firstDay));
    await commit(stores, events);
    await commit(stores, events.slice(40, 190));
    await commit(
      stores,
      events.slice(20, 40).map((event) => ({ ...event, data: { v: 7, m: 'other', u: 'liar' } })),
    );
    for (const [key, aggregation] of keysOf(aggregations)) {
      const next = { ...definitionOf(aggregation), dimensions: { model: 'm' }, filter: "data.m != 'free'" };
      await putMeter(stores.database, { namespace: NAMESPACE, key, definition: next });
    }
    await correct(stores);
    await askForBackfills(stores, { firstDay, aggregations });
    await commit(
      stores,
      Array.from({ length: 200 }, (_, place) => said(place * 3, firstDay, '-late')),
    );
    await commit(stores, events.slice(300, 400));
    while ((await rollDays(stores.database, NAMESPACE, dayStart(firstDay + DAYS))) > 0);
    await moveWatermark(stores);
    return { directory, firstDay, aggregations };
  } finally {
    await stores.close();
  }
}

async function correct(stores: LocalStores): Promise<void> {
  const context = { ...stores, slot: 0, clock: systemScheduler.now };
  for (let place = 0; place < EVENTS; place += 31)
    await voidEvent(context, { namespace: NAMESPACE, source: SOURCE, id: `e-${place}` });
  for (let place = 0; place < EVENTS; place += 93)
    await restoreEvent(context, { namespace: NAMESPACE, source: SOURCE, id: `e-${place}` });
}

async function askForBackfills(
  { database }: LocalStores,
  { firstDay, aggregations }: Pick<Scene, 'firstDay' | 'aggregations'>,
): Promise<void> {
  const days = { from: dayStart(firstDay), to: dayStart(firstDay + DAYS) };
  for (const [place, [key]] of keysOf(aggregations).entries()) {
    const { result } = await database.transact((tx) =>
      startBackfill(tx, {
        ...{ namespace: NAMESPACE, key, version: 2, ...days, now: systemScheduler.now() },
        ...{ principal: 'test', reason: 'a test' },
      }),
    );
    // Half of them in shards, as a busy day has it; the sum leaves a day out that has none, as it may.
    const { meter, version } = result.backfill;
    if (place % 2 !== 0) continue;
    const events = new Map(Array.from({ length: DAYS }, (_, day) => [firstDay + day, SHARDED_EVENTS]));
    await planParts(database, { namespace: NAMESPACE, meter, version }, events);
  }
}

/** Cells of one meter of each kind are lost, doubled and falsified; a reconciliation that repairs is asked for. */
export async function spoil(
  stores: LocalStores,
  { firstDay, aggregations }: Pick<Scene, 'firstDay' | 'aggregations'>,
): Promise<ReconciliationName> {
  const { database } = stores;
  for (const [meter] of keysOf(aggregations)) {
    const rows = await Array.fromAsync(database.scan(usageHour, { prefix: [NAMESPACE, 'acme', meter, 1] }));
    const [lost, moved, copied] = rows;
    if (lost === undefined || moved === undefined || copied === undefined) throw new Error('there are cells');
    const days = await Array.fromAsync(database.scan(usageDay, { prefix: [NAMESPACE, 'a', meter, 1] }));
    await database.transact(async (tx) => {
      const { namespace, subject, generation, view, hour, group, slot } = lost;
      tx.delete(usageHour, [namespace, subject, meter, generation, view, hour, group, slot]);
      tx.upsert(usageHour, { ...moved, minutes: copied.minutes, totals: copied.totals });
      tx.upsert(usageHour, { ...copied, subject: 'nobody' });
      for (const day of days.slice(0, 1))
        tx.delete(usageDay, [NAMESPACE, 'a', meter, day.generation, day.view, day.day, day.group]);
    });
  }
  return askToReconcile(stores, { firstDay });
}

/** Of all days and meters, with repair, trusting the view. */
export async function askToReconcile(
  { database }: LocalStores,
  { firstDay }: Pick<Scene, 'firstDay'>,
): Promise<ReconciliationName> {
  const { result } = await database.transact((tx) =>
    createReconciliation(tx, {
      ...{ namespace: NAMESPACE, from: dayStart(firstDay), to: dayStart(firstDay + DAYS), repair: true },
      ...{ trustView: true, principal: 'test', reason: 'a test', now: systemScheduler.now() },
    }),
  );
  return result;
}

/** What the embedded engine makes of the scene: the backfills, and then the cells repaired that were falsified. */
export async function runEmbedded(scene: Scene): Promise<Record<string, string[]>> {
  const stores = await openStores(scene.directory);
  const log = createLog('silent');
  const runtime = { ...stores, scheduler: schedulerOf(stores), signal: new AbortController().signal, log };
  try {
    await runBatch({ ...runtime, what: 'backfill', runJob: undefined });
    await spoil(stores, scene);
    await runBatch({ ...runtime, what: 'reconcile', runJob: undefined });
    return await writtenRows(stores);
  } finally {
    await stores.close();
  }
}

export async function copyScene(scene: Scene, name: string): Promise<Scene> {
  const directory = `${scene.directory}-${name}`;
  await cp(scene.directory, directory, { recursive: true });
  return { ...scene, directory };
}

/** What differs from run to run by its nature: who did it, when, and under which name. */
const OF_THE_RUN = new Set([
  ...['id', 'reconciliation', 'worker', 'leaseUntil', 'createdAt', 'finishedAt', 'completedAt', 'startedAt'],
]);

const WRITTEN: readonly Table<object>[] = [
  usageHour,
  usageDay,
  distinctValue,
  backfilledValue,
  backfillPart,
  meterBackfill,
  reconciliation,
  reconciliationDifference,
];

/** Every row that the batch pipelines write, byte by byte. */
export async function writtenRows({ database }: LocalStores): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const table of WRITTEN) {
    const rows: string[] = [];
    for await (const row of database.scan(table, { prefix: [] })) rows.push(textOf(row));
    tables[table.name] = rows.sort();
  }
  return tables;
}

const textOf = (row: object): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([name]) => !OF_THE_RUN.has(name))
      .map(([name, value]: [string, unknown]) => [
        name,
        value instanceof Uint8Array
          ? Buffer.from(value).toString('hex')
          : typeof value === 'bigint'
            ? String(value)
            : value,
      ]),
  );
