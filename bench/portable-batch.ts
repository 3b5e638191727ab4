import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dayOf, dayStart, MICROS_PER_DAY } from '#domain/instant.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { backfilledVersion, readBackfill } from '#infra/backfill/backfill.ts';
import { heldParts, planParts, claimParts } from '#infra/backfill/parts.ts';
import { startBackfill } from '#infra/backfill/start-backfill.ts';
import { EngineUnavailable, type Engine } from '#infra/engines/engine.ts';
import { flinkOptions } from '#infra/engines/flink/job-options.ts';
import { openFlink } from '#infra/engines/flink/open-flink.ts';
import { openPrism } from '#infra/engines/prism/open-prism.ts';
import { openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import { countPart } from '#pipelines/backfill/count-part.ts';
import { cancelJobs } from '#pipelines/beam/cancel-jobs.ts';
import type { SubmittedOptions } from '#pipelines/beam/submitted-options.ts';
import { createDistributedBatch } from '#pipelines/portable/batch/distributed-batch.ts';
import { runJobOn } from '#pipelines/portable/batch/run.ts';
import { summarise, type Figure } from './figure.ts';

export interface BenchPortableBatch {
  readonly events: number;
  readonly record: (figure: Figure) => void;
}

const NAMESPACE = 'default';
const METER = 'tokens';
const DAYS = 8;
/** So few that a million events come to some 77,000 cells: what is measured is the counting, not the writing. */
const SUBJECTS = 50;
const ROWS_PER_APPEND = 20_000;
/** A cold engine and its workers are what the first job pays; the second is measured. */
const WARM_UP_DAYS = 1;
const PARALLELISM = [1, 2];
const WORKER = resolve(import.meta.dirname, '../pipelines/beam/worker.sh');

const say = (line: string): void => console.log(line);

/**
 * Events of eight days counted anew into cells, from warehouse segments to committed rows: on the embedded batch engine, on Prism and on Flink, in one
 * run and from the same bytes. A run is one job, from its submission to its end, with the start of its workers; the engine is warm. An engine that
 * cannot be had is said, and left out.
 */
export async function benchPortableBatch({ events, record }: BenchPortableBatch): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-batch-bench-'));
  try {
    const template = join(folder, 'template');
    await makeTemplate(template, events);
    const runs = { folder, template, events };
    const embedded = await timed(runs, 'embedded', countHere);
    record(summarise('recount, embedded batch engine', 'events/s', [events / embedded]));
    for (const engine of [prismRuns(), flinkRuns(folder)])
      await benchEngine(runs, engine, { embedded, record });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Runs {
  readonly folder: string;
  readonly template: string;
  readonly events: number;
}

interface EngineRuns {
  readonly name: string;
  readonly open: () => Promise<Engine>;
  readonly options: (parallelism: number) => SubmittedOptions;
  readonly parallelism: readonly number[];
}

/** Prism has one worker for an environment, which runs bundles side by side: it knows no parallelism. */
const prismRuns = (): EngineRuns => ({
  name: 'Prism',
  open: () => openPrism({ environment: process.env, say, cancelJobs }),
  options: () => ({}),
  parallelism: [1],
});

const flinkRuns = (folder: string): EngineRuns => ({
  name: 'Flink',
  open: () => openFlink({ mode: 'mini', folder: join(folder, 'flink'), environment: process.env, say }),
  options: (parallelism) =>
    flinkOptions({
      checkpointUrl: `file://${join(folder, 'checkpoints')}`,
      parallelism,
      workersPerTaskManager: parallelism,
    }),
  parallelism: PARALLELISM,
});

async function benchEngine(
  runs: Runs,
  { name, open, options, parallelism }: EngineRuns,
  { embedded, record }: { readonly embedded: number; readonly record: (figure: Figure) => void },
): Promise<void> {
  let engine: Engine;
  try {
    engine = await open();
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    return say(`recount on ${name}: not run: ${error.message}`);
  }
  try {
    for (const each of parallelism) {
      const count = countOn(engine, options(each));
      await timed(runs, 'warm-up', count, WARM_UP_DAYS);
      const seconds = await timed(runs, `${name}-${each}`, count);
      record({
        ...summarise(`recount on ${name}, parallelism ${each}`, 'events/s', [runs.events / seconds]),
        ...{ peer: 'the embedded batch engine', ratio: embedded / seconds },
      });
    }
  } finally {
    await engine.close();
  }
}

type Count = (stores: LocalStores, directory: string) => Promise<void>;

/** Seconds that it takes to count the first days of a copy of the template. */
async function timed({ folder, template }: Runs, name: string, count: Count, days = DAYS): Promise<number> {
  const directory = join(folder, name);
  cpSync(template, directory, { recursive: true });
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    await plan(stores, days);
    const started = performance.now();
    await count(stores, directory);
    const seconds = (performance.now() - started) / 1_000;
    const backfill = await readBackfill(stores.database, NAME);
    if (backfill?.partsDone !== backfill?.parts) throw new Error(`${name}: not all parts were counted`);
    return seconds;
  } finally {
    await stores.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const NAME = { namespace: NAMESPACE, meter: METER, version: 2 };

const countHere: Count = async ({ database, warehouse }) => {
  const { backfill, meter } = await asked(database);
  const claim = { worker: 'bench', now: systemScheduler.now(), limit: DAYS };
  for (const part of await claimParts(database, NAME, claim))
    await countPart({ database, warehouse, backfill, meter, part });
};

const countOn =
  (engine: Engine, options: SubmittedOptions): Count =>
  async ({ database, warehouse }, directory) => {
    const variables = { MILLRACE_BACKEND: 'embedded', MILLRACE_DATA_DIR: directory };
    const environment = { kind: 'process', command: WORKER, environment: variables } as const;
    const runJob = runJobOn({ engine, environment, options });
    const batch = createDistributedBatch({ database, warehouse, scheduler: systemScheduler, runJob });
    await batch.countParts({ ...(await asked(database)), worker: 'bench' });
    if ((await heldParts(database, NAME, 'bench')).length > 0) throw new Error('parts were left');
  };

async function asked(database: LocalStores['database']) {
  const backfill = await readBackfill(database, NAME);
  if (backfill === undefined) throw new Error('there is no backfill');
  return { backfill, meter: await backfilledVersion(database, NAME) };
}

const firstDayAt = (): number => dayOf(systemScheduler.now()) - DAYS - 1;

async function makeTemplate(directory: string, events: number): Promise<void> {
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    const definition = {
      name: 'Tokens',
      eventType: 'llm.request',
      aggregation: 'sum',
      value: 'tokens',
    } as const;
    await putMeter(stores.database, { namespace: NAMESPACE, key: METER, definition });
    for (let first = 0; first < events; first += ROWS_PER_APPEND) {
      const length = Math.min(ROWS_PER_APPEND, events - first);
      await stores.warehouse.appendEvents(
        Array.from({ length }, (_, place) => eventAt(first + place, events)),
      );
    }
    while ((await stores.warehouse.compact()).length > 0);
    await putMeter(stores.database, {
      ...{ namespace: NAMESPACE, key: METER },
      definition: { ...definition, dimensions: { model: 'model' } },
    });
  } finally {
    await stores.close();
  }
}

function eventAt(place: number, events: number): EventRow {
  const id = `evt-${place}`;
  const identity = identityOf(NAMESPACE, 'urn:svc:chat', id);
  const time = dayStart(firstDayAt()) + Math.floor((place / events) * DAYS * MICROS_PER_DAY);
  return {
    ...{ identity, digest: identity, outcome: 'accepted', namespace: NAMESPACE, id },
    ...{ source: 'urn:svc:chat', type: 'llm.request', subject: `customer-${(place * 7_919) % SUBJECTS}` },
    time,
    data: `{"model":"m${place % 7}","region":"eu-west-${place % 3}","tokens":${(place * 37) % 5_000}}`,
    attributes: null,
    publishedAt: time + 2_000,
    committedAt: time + 3_000,
    catalogueVersion: 1,
    matchedMeters: [`${METER}@1`],
  };
}

/** Asks for the backfill of so many days, and lays out its parts. */
async function plan({ database }: LocalStores, days: number): Promise<void> {
  const firstDay = firstDayAt();
  await database.transact((tx) =>
    startBackfill(tx, {
      ...{ namespace: NAMESPACE, key: METER, version: 2, principal: 'bench', reason: 'a bench' },
      ...{ from: dayStart(firstDay), to: dayStart(firstDay + days), now: systemScheduler.now() },
    }),
  );
  await planParts(database, NAME, new Map(Array.from({ length: days }, (_, day) => [firstDay + day, 1])));
}
