import { MUTATIONS_PER_COMMIT_MAX } from '#domain/limits.ts';
import type { Instant } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { Database } from '#infra/database/database.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { commitDeliveries, type CommitContext } from '#infra/usage/commit.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { createRoller } from '#infra/usage/roll-namespaces.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import {
  eventsOf,
  NAMESPACE,
  rowsBudget,
  setLimits,
  SHAPES,
  type Shape,
  type ShapedEvent,
} from './budget-shapes.ts';
import { countWork, noCounts } from './counting-database.ts';

/** A commit of a fleet's worker: about a second's, or so many events. */
const EVENTS_PER_COMMIT = 500;
const TRIPS_MAX = 2;
const FEED = 'bench';

/** What the commits of one shape of events did, beside what they may do. */
export interface Spent {
  readonly shape: string;
  readonly rowsPerEvent: number;
  readonly rowsPerEventMax: number;
  readonly mutationsPerEvent: number;
  readonly mutationsPerCommit: number;
  readonly readsPerEvent: number;
  /** Of the commit that took the most. */
  readonly tripsPerCommit: number;
  /** A writer that sees customers with hard limits for the first time looks for them. */
  readonly tripsOfFirstCommit: number;
  /** What is over the budget, in a sentence each. Empty: nothing is. */
  readonly overspent: readonly string[];
}

/**
 * Commits events of each shape to a fresh database each and counts what goes over the port: what is counted is the same on every driver, and on the real
 * Spanner. The first commit of a writer is told apart:
 * it has to find out what the later ones remember.
 */
export async function spendOf(
  open: () => Promise<Database>,
  { events, now }: { readonly events: number; readonly now: Instant },
): Promise<Spent[]> {
  const spent: Spent[] = [];
  for (const shape of SHAPES) {
    const database = await open();
    try {
      spent.push(await spend(database, shape, eventsOf(shape, events, now), now));
    } finally {
      await database.close();
    }
  }
  return spent;
}

async function spend(
  database: Database,
  shape: Shape,
  events: readonly ShapedEvent[],
  now: Instant,
): Promise<Spent> {
  for (const [key, definition] of Object.entries(shape.meters))
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  await setLimits(database, shape, now);
  await closeDays(database, now);
  const { database: counted, counts } = countWork(database);
  const context: CommitContext = {
    ...{ database: counted, catalogues: createCatalogues(database), limitMemory: createLimitMemory() },
    ...{ feed: FEED, slot: 0, clock: () => now },
  };
  const [first, ...rest] = inCommits(events);
  await commit(context, first ?? []);
  const firstTrips = counts.tripsMax;
  Object.assign(counts, noCounts());
  for (const some of rest) await commit(context, some);
  const measured = rest.flat();
  const rowsMax = rowsBudget(shape, measured);
  return {
    shape: shape.name,
    rowsPerEvent: counts.rows / measured.length,
    rowsPerEventMax: rowsMax / measured.length,
    mutationsPerEvent: counts.mutations / measured.length,
    mutationsPerCommit: counts.mutationsMax,
    readsPerEvent: counts.reads / measured.length,
    tripsPerCommit: counts.tripsMax,
    tripsOfFirstCommit: firstTrips,
    overspent: [
      ...over(`${shape.name}: rows`, counts.rows, rowsMax),
      ...over(`${shape.name}: mutations of a commit`, counts.mutationsMax, MUTATIONS_PER_COMMIT_MAX),
      ...over(`${shape.name}: round trips of reads`, counts.tripsMax, TRIPS_MAX),
    ],
  };
}

function inCommits(events: readonly ShapedEvent[]): (readonly ShapedEvent[])[] {
  const parts: (readonly ShapedEvent[])[] = [];
  for (let at = 0; at < events.length; at += EVENTS_PER_COMMIT)
    parts.push(events.slice(at, at + EVENTS_PER_COMMIT));
  return parts;
}

async function commit(context: CommitContext, events: readonly ShapedEvent[]): Promise<void> {
  const { classified } = await commitDeliveries(context, deliveriesOf(events));
  if (classified.some(({ outcome }) => outcome !== 'accepted')) throw new Error('an event was not accepted');
}

const over = (what: string, spent: number, allowed: number): string[] =>
  spent <= allowed ? [] : [`${what}: ${spent}, of at most ${allowed}`];

/** So that late events find their days rolled: with a feed that is complete up to now. */
async function closeDays(database: Database, now: Instant): Promise<void> {
  const topic = { oldestUnacknowledged: async () => ({ at: now }) };
  await storeWatermark(
    { database, topic },
    { feed: FEED, worker: 'bench', namespace: NAMESPACE, latenessMicros: 0 },
  );
  const { roll } = createRoller(database);
  while ((await roll()) > 0);
}

const deliveriesOf = (events: readonly ShapedEvent[]) =>
  events.map(({ id, text, publishTime }) =>
    parseDelivery(
      { kind: 'fixed', namespace: NAMESPACE },
      { ...{ id, ackId: id, attempt: 1 }, data: Buffer.from(text), attributes: {}, publishTime },
    ),
  );
