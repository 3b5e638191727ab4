import type { Message } from '@google-cloud/pubsub';
import type { Database, Transaction } from '@google-cloud/spanner';
import type { CloudSettings } from '#infra/cloud/settings.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { startMeasuring, type Measured } from '../measure.ts';
import type { Workload } from '../workload.ts';
import { bareBigQuery, bareDatabase, barePubsub, EVENTS_PER_BATCH } from './bare-clients.ts';
import {
  amountOf,
  appendedRow,
  BARE_DDL,
  checkBare,
  EVENT_TABLE,
  eventRow,
  HOUR_TABLE,
  hourRow,
  hoursOf,
  keyOfHour,
  nameOfHour,
  parseBare,
  type BareEvent,
  type BareHour,
} from './bare-rows.ts';

/*
 * What a user would write with the vendors' clients alone, asking the same of the stores: pull, parse, one transaction a batch that reads the event
 * rows and the hour rows it touches, writes the new ones and adds them up, appends them to BigQuery, acknowledges. Rows are as many and as
 * wide as ours. No conflicts, minutes, fingerprints, dead letters or watermark, one catalogue for ever, and it gives up at the first error.
 */

const GATHER_MS = 20;
const POLL_MS = 5;

/** Runs the loop on a database, a topic and a table of its own. Throws where the totals are not the workload's. */
export async function runBareLoop(
  settings: CloudSettings,
  name: string,
  workload: Workload,
): Promise<Measured> {
  const spanner = await bareDatabase(settings, name, BARE_DDL);
  const { pubsub, topic, subscription } = await barePubsub(settings, name);
  const bigquery = await bareBigQuery(settings, name);
  const waiting: Message[] = [];
  let acknowledged = 0;
  const stop = startMeasuring();
  subscription.on('message', (message: Message) => void waiting.push(message));
  const published = Promise.all(
    workload.lines.map((line) => topic.publishMessage({ data: Buffer.from(line) })),
  );
  while (acknowledged < workload.lines.length) {
    if (waiting.length < EVENTS_PER_BATCH)
      await systemScheduler.sleep(waiting.length === 0 ? POLL_MS : GATHER_MS);
    const batch = waiting.splice(0, EVENTS_PER_BATCH);
    if (batch.length === 0) continue;
    const events = batch.map(({ data }) => parseBare(data.toString()));
    const fresh = await commit(spanner.database, events);
    if (fresh.length > 0) {
      const now = systemScheduler.now();
      await bigquery.append(fresh.map((event) => appendedRow(event, now)));
    }
    for (const message of batch) message.ack();
    acknowledged += batch.length;
  }
  await published;
  const measured = stop();
  await checkStored(spanner.database, workload);
  await subscription.close();
  await pubsub.close();
  bigquery.close();
  await spanner.close();
  return measured;
}

/** The events that were not there before. */
async function commit(database: Database, events: readonly BareEvent[]): Promise<BareEvent[]> {
  const distinct = [...new Map(events.map((event) => [event.identity.toString('hex'), event])).values()];
  const hours = new Map(distinct.flatMap(hoursOf).map((hour) => [nameOfHour(hour), hour]));
  return database.runTransactionAsync(async (transaction) => {
    const { known, totals } = await read(transaction, distinct, [...hours.values()]);
    const fresh = distinct.filter(({ identity }) => !known.has(identity.toString('hex')));
    const changed = new Map<string, BareHour>();
    for (const event of fresh)
      for (const hour of hoursOf(event)) {
        const name = nameOfHour(hour);
        totals.set(name, (totals.get(name) ?? 0n) + amountOf(event, hour));
        changed.set(name, hour);
      }
    if (fresh.length > 0) {
      transaction.upsert(EVENT_TABLE, fresh.map(eventRow));
      transaction.upsert(
        HOUR_TABLE,
        Array.from(changed, ([name, hour]) => hourRow(hour, totals.get(name) ?? 0n)),
      );
    }
    await transaction.commit();
    return fresh;
  });
}

const HOUR_COLUMNS = ['subject', 'meter', 'hour', 'totals', 'minutes', 'fingerprint'];

async function read(transaction: Transaction, events: readonly BareEvent[], hours: readonly BareHour[]) {
  // The client sends the bytes of a key as the text that it is given.
  const identities = events.map(({ identity }) => [identity.toString('base64')]);
  const [[known], [before]] = await Promise.all([
    transaction.read(EVENT_TABLE, { keys: identities, columns: ['identity', 'digest'], json: true }),
    transaction.read(HOUR_TABLE, { keys: hours.map(keyOfHour), columns: HOUR_COLUMNS, json: true }),
  ]);
  const rows = known as unknown as { identity: Buffer }[];
  const cells = before as unknown as (BareHour & { totals: Buffer })[];
  return {
    known: new Set(rows.map(({ identity }) => identity.toString('hex'))),
    totals: new Map(cells.map((cell) => [nameOfHour(cell), BigInt(cell.totals.toString())])),
  };
}

async function checkStored(database: Database, workload: Workload): Promise<void> {
  const [events] = await database.run({ sql: `SELECT COUNT(*) AS count FROM ${EVENT_TABLE}`, json: true });
  const [rows] = await database.run({
    sql: `SELECT totals FROM ${HOUR_TABLE} WHERE meter = 'tokens'`,
    json: true,
  });
  const [{ count } = { count: 0 }] = events as unknown as { count: number }[];
  const totals = (rows as unknown as { totals: Buffer }[]).map((row) => row.totals);
  checkBare(workload, { events: count, totals });
}
