import { expect } from 'chai';
import type { Instant } from '#domain/instant.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import type { MeterDefinition, MeterVersion } from '#domain/metering/meter.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { putEventType } from '#infra/catalogue/event-types.ts';
import { readCatalogueRow, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { saveMeter } from '#infra/catalogue/put-meter.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { deadLetter, event, usageHour, type Row } from '#infra/usage/tables.ts';
import {
  drained,
  inLocalDirectory,
  NAMESPACE,
  openStores,
  type Cleanup,
} from '#test/support/local-stores.ts';
import { startPipeline, type PipelineProcess } from '#test/support/pipeline-process.ts';
import { startProducer, type ProducerProcess } from '#test/support/producer-process.ts';
import { rowsOf } from './agreement.ts';

const PIPELINES = 3;
const EVENTS_PER_PORTION = 400;
const EVENTS_PER_PUBLISH = 20;
/** Small bundles, so that many commits of all processes lie around each change. */
const BUNDLE_MESSAGES_MAX = 25;
const TYPE = 'llm.request';
/** Every tenth event has no model, which the schema of the last change asks for. */
const INCOMPLETE_EVERY = 10;

const counter: MeterDefinition = { name: 'Requests', eventType: TYPE, aggregation: 'count' };
const key = (name: string) => ({ namespace: NAMESPACE, key: name });
/** Nothing of these changes depends on the time. */
const now = 0;
const schema = { type: 'object', required: ['model'] };

/** What an operator does while events flow, one after the other. Each raises the catalogue's version. */
const CHANGES: readonly ((tx: Transaction) => Promise<unknown>)[] = [
  (tx) => saveMeter(tx, { ...key('second'), definition: counter }),
  (tx) => saveMeter(tx, { ...key('first'), definition: { ...counter, dimensions: { model: 'model' } } }),
  (tx) => activateMeter(tx, { ...key('first'), version: 2, now }),
  (tx) => archiveMeter(tx, { ...key('second'), now }),
  (tx) => saveMeter(tx, { ...key('second'), definition: counter }),
  (tx) => putEventType(tx, { namespace: NAMESPACE, type: TYPE, schema, enforce: 'reject' }),
];

interface Change {
  /** The catalogue version that it made. */
  readonly version: number;
  readonly committedAt: Instant;
}

describe('the catalogue, changed while several pipeline processes commit', () => {
  it('takes effect by the order of commits: each meter counts exactly the events committed while it was in force', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const stores = await openStores(directory);
      cleanup.defer(() => stores.close());
      await stores.database.transact((tx) => saveMeter(tx, { ...key('first'), definition: counter }));
      const pipelines = start(directory, cleanup);
      const producer = startProducer(directory);
      cleanup.defer(() => producer.kill());
      const changes = await changeWhileEventsFlow(stores, pipelines, producer);
      await drained(stores, () => pipelines.map((pipeline) => pipeline.errorText()).join('\n'));
      for (const pipeline of pipelines)
        expect(await pipeline.stop(), pipeline.errorText()).to.deep.equal({ code: 0, signal: null });
      const events = await rowsOf(stores.database, event);
      expectCommitOrder(events, changes);
      await expectMeters(stores, events);
      await expectSchema(stores, events, changes.at(-1)!);
    }));
});

function start(directory: string, cleanup: Cleanup): PipelineProcess[] {
  return Array.from({ length: PIPELINES }, (_, number) => {
    const worker = `worker-${number}`;
    const pipeline = startPipeline({ directory, worker, batchMessagesMax: BUNDLE_MESSAGES_MAX });
    cleanup.defer(() => pipeline.kill());
    return pipeline;
  });
}

/** A change falls into each portion while it is on its way; one portion lies before all changes, and one after them. */
async function changeWhileEventsFlow(
  { database }: LocalStores,
  pipelines: readonly PipelineProcess[],
  producer: ProducerProcess,
): Promise<Change[]> {
  await Promise.all(pipelines.map(({ ready }) => ready));
  await producer.publish(portion(0));
  await pipelines[0]!.until('has committed', ({ accepted_total }) => accepted_total > 0);
  const changes: Change[] = [];
  for (const [number, change] of CHANGES.entries()) {
    const publishing = producer.publish(portion(number + 1));
    await producer.publish(portion(number + 1, 'more'));
    const { result: before, committedAt } = await database.transact(async (tx) => {
      const row = await readCatalogueRow(tx, NAMESPACE);
      await change(tx);
      return row;
    });
    changes.push({ version: before.version + 1, committedAt });
    await publishing;
  }
  await producer.publish(portion(CHANGES.length + 1));
  return changes;
}

function portion(number: number, part = 'events'): string[][] {
  const texts = Array.from({ length: EVENTS_PER_PORTION }, (_, each) =>
    JSON.stringify({
      specversion: '1.0',
      id: `${number}-${part}-${each}`,
      source: 'urn:svc:chat',
      type: TYPE,
      subject: `s-${each % 7}`,
      data: each % INCOMPLETE_EVERY === 0 ? {} : { model: `m-${each % 3}` },
    }),
  );
  return Array.from({ length: EVENTS_PER_PORTION / EVENTS_PER_PUBLISH }, (_, batch) =>
    texts.slice(batch * EVENTS_PER_PUBLISH, (batch + 1) * EVENTS_PER_PUBLISH),
  );
}

type EventRows = readonly Row<typeof event>[];

/** An event knows the version that was the newest when it was committed, whatever its process had in memory. */
function expectCommitOrder(events: EventRows, changes: readonly Change[]): void {
  const wrong = events.filter(({ committedAt, catalogueVersion }) => {
    const newest = changes.findLast((change) => change.committedAt < committedAt);
    return catalogueVersion !== (newest?.version ?? 1);
  });
  expect(wrong, 'events with another version than the newest at their commit').to.deep.equal([]);
  for (const { version } of changes.slice(1))
    expect(events.some(({ catalogueVersion }) => catalogueVersion >= version)).to.equal(true);
}

async function expectMeters({ database }: LocalStores, events: EventRows): Promise<void> {
  const counted = await countsInCells(database);
  const versions = await readMeterVersions(database, NAMESPACE);
  const expected = new Map(versions.map((meter) => [labelOf(meter), inForce(meter, events).length]));
  expect(Object.fromEntries(counted)).to.deep.equal(Object.fromEntries(expected));
  expect(versions.map(labelOf)).to.deep.equal(['first@1', 'first@2', 'second@1', 'second@2']);
  for (const count of [...expected.values()].slice(1)) expect(count).to.be.within(1, events.length - 1);
}

const labelOf = ({ key: name, generation }: Pick<MeterVersion, 'key' | 'generation'>): string =>
  `${name}@${generation}`;

const inForce = ({ since, until }: MeterVersion, events: EventRows): EventRows =>
  events.filter(
    ({ catalogueVersion }) => catalogueVersion >= since && (until === null || catalogueVersion < until),
  );

async function countsInCells(database: LocalStores['database']): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const row of await rowsOf(database, usageHour)) {
    if (row.view !== 0) continue;
    const label = labelOf({ key: row.meter, generation: row.generation });
    counts.set(label, (counts.get(label) ?? 0) + unpackHourCell('count', row).totals.count);
  }
  return counts;
}

/** An event against the schema is stored if it was committed before it, and a dead letter if not: one of the two, never both. */
async function expectSchema({ database }: LocalStores, events: EventRows, change: Change): Promise<void> {
  const letters = await rowsOf(database, deadLetter);
  expect(new Set(letters.map(({ reason }) => reason))).to.deep.equal(new Set(['schema_violation']));
  const stored = new Set(events.map(({ identity }) => identity));
  expect(letters.filter(({ identity }) => identity !== null && stored.has(identity))).to.deep.equal([]);
  const portions = 2 + 2 * CHANGES.length;
  expect(events.length + letters.length).to.equal(portions * EVENTS_PER_PORTION);
  const after = events.filter(({ catalogueVersion }) => catalogueVersion >= change.version);
  expect(after.length).to.be.above(0);
  expect(letters.length).to.be.at.least(EVENTS_PER_PORTION / INCOMPLETE_EVERY);
}
