import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, type Instant } from '#domain/instant.ts';
import { below, chance, delay } from '#infra/database/hostile/schedule.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import { QueryRefused, RowRefused, WarehouseUnavailable } from '../errors.ts';
import { toWarehouseRow } from '../event-row.ts';
import { meteredFromRows } from '../metered-event.ts';
import { shardOf } from '../questions/event-scope.ts';
import { WAREHOUSE_TABLES } from '../tables.ts';
import type { WarehouseTable } from '../tables.ts';
import type { QueryParameters, Warehouse, WarehouseRow, WarehouseValue } from '../warehouse.ts';
import { checkRow } from './check-row.ts';
import { exactEvents, instantOf } from './exact-events.ts';

/** How often what goes wrong; each is a probability per operation. */
export interface WarehouseFaults {
  /** An append fails although it took all of its rows, none, or the first few. */
  readonly failedAppend: number;
  /** An answer is overtaken by what others do. */
  readonly delay: number;
  /** The warehouse refuses this row, however often it is tried. */
  readonly refuse?: (row: WarehouseRow, table: string) => boolean;
}

export const noWarehouseFaults: WarehouseFaults = { failedAppend: 0, delay: 0 };
export const commonWarehouseFaults: WarehouseFaults = { failedAppend: 0.15, delay: 0.2 };

export interface HostileWarehouseOptions {
  readonly schedule: Schedule;
  readonly faults: WarehouseFaults;
}

export interface HostileWarehouse extends Warehouse {
  setFaults(faults: WarehouseFaults): void;
  /** Every operation fails with `WarehouseUnavailable` until this much time has gone by; 0 ends an outage. */
  failFor(micros: number): void;
  /** Every row a table has taken, in that order and with all duplicates, at once and without any fault. */
  rows(table: string): WarehouseRow[];
}

interface Engine {
  readonly schedule: Schedule;
  readonly taken: Map<string, WarehouseRow[]>;
  faults: WarehouseFaults;
  downUntil: Instant;
  closed: boolean;
}

const copyOfValue = (value: WarehouseValue): WarehouseValue =>
  Array.isArray(value) ? value.map(String) : value;

const copyOf = (row: WarehouseRow): WarehouseRow =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, copyOfValue(value)]));

function tableNamed(name: string): WarehouseTable {
  const table = WAREHOUSE_TABLES.find((candidate) => candidate.name === name);
  if (table === undefined) throw new RangeError(`the warehouse has no table ${name}`);
  return table;
}

async function arrive(engine: Engine, label: string): Promise<void> {
  const { schedule } = engine;
  if (engine.closed) throw new WarehouseUnavailable(`cannot ${label}: the warehouse is closed`);
  await schedule.point(label);
  if (schedule.now() < engine.downUntil)
    throw new WarehouseUnavailable(`cannot ${label}: the warehouse is down`);
}

function checkRows({ faults }: Engine, table: WarehouseTable, rows: readonly WarehouseRow[]): void {
  for (const [rowIndex, row] of rows.entries()) {
    checkRow(table, row, rowIndex);
    if (faults.refuse?.(row, table.name) !== true) continue;
    throw new RowRefused({ table: table.name, rowIndex }, 'out_of_range', 'the test refuses it');
  }
}

async function append(engine: Engine, name: string, rows: readonly WarehouseRow[]): Promise<void> {
  const { schedule, faults, taken } = engine;
  const table = tableNamed(name);
  await arrive(engine, `append to ${name}`);
  checkRows(engine, table, rows);
  const fails = chance(schedule, faults.failedAppend);
  const taking = rows.slice(0, fails ? below(schedule, rows.length + 1) : rows.length).map(copyOf);
  taken.set(name, [...(taken.get(name) ?? []), ...taking]);
  await delay(schedule, faults.delay, `append to ${name}: late answer`);
  if (fails) throw new WarehouseUnavailable(`nobody knows how many rows ${name} has taken`);
}

const ANSWERED = ['events', 'events_exact', 'metered_events', 'usage_by_window'];

function instantIn(parameters: QueryParameters, name: string, otherwise: Instant): Instant {
  const value = parameters[name] ?? undefined;
  if (value === undefined) return otherwise;
  const parsed = typeof value === 'string' ? parseRfc3339(value) : undefined;
  if (parsed === undefined) throw new QueryRefused(`${name} is an RFC 3339 time`);
  return parsed.at;
}

/** What is no column. */
const QUESTIONS = [
  'aggregation',
  'window',
  'from',
  'to',
  'subjects',
  'shard',
  'shards',
  'meter',
  'meters',
  'at',
  'limit',
  'afterTime',
  'afterIdentity',
];

/**
 * `from` and `to` bound the time, `subjects` lists whose events, `shard` of `shards` deals them out, `meter` and `meters` what counted them, `limit` how many, after which one; every other
 * parameter is a column and the value it has.
 */
function matching(rows: readonly WarehouseRow[], parameters: QueryParameters): WarehouseRow[] {
  const [from, to] = [instantIn(parameters, 'from', -Infinity), instantIn(parameters, 'to', Infinity)];
  const { subjects, meter, meters = typeof meter === 'string' ? [meter] : undefined, limit } = parameters;
  const { shard, shards } = parameters;
  const equal = Object.entries(parameters).filter(([name]) => !QUESTIONS.includes(name));
  const found = rows.filter((row) => {
    const time = instantOf(row, 'time');
    const named = !Array.isArray(subjects) || subjects.includes(String(row['subject']));
    const counted = !Array.isArray(meters) || meters.some((label) => metersOf(row).includes(String(label)));
    return (
      named &&
      (typeof shards !== 'number' || shardOf(String(row['subject']), shards) === shard) &&
      counted &&
      time >= from &&
      time < to &&
      isAfter(row, parameters) &&
      equal.every(([name, value]) => row[name] === value)
    );
  });
  return typeof limit === 'number' ? found.slice(0, limit) : found;
}

const metersOf = ({ matched_meters: meters }: WarehouseRow): readonly string[] =>
  Array.isArray(meters) ? meters.map(String) : [];

function isAfter(row: WarehouseRow, parameters: QueryParameters): boolean {
  const after = instantIn(parameters, 'afterTime', -Infinity);
  const time = instantOf(row, 'time');
  return time > after || (time === after && String(row['identity']) > String(parameters['afterIdentity']));
}

async function* query(
  engine: Engine,
  name: string,
  parameters: QueryParameters,
): AsyncGenerator<WarehouseRow> {
  if (!ANSWERED.includes(name))
    throw new QueryRefused(`the hostile warehouse answers ${ANSWERED.join(', ')} only, not ${name}`);
  await arrive(engine, `query ${name}`);
  const at = instantIn(parameters, 'at', Infinity);
  const taken = engine.taken.get('events') ?? [];
  const events = taken.filter((row) => instantOf(row, 'committed_at') <= at);
  const found = matching(name === 'events' ? events : exactEvents(events), parameters);
  await delay(engine.schedule, engine.faults.delay, `query ${name}: late answer`);
  if (name === 'usage_by_window') yield* countsByDay(found, parameters);
  else for (const row of found) yield copyOf(row);
}

/** The one question about usage that the platform itself asks. */
function* countsByDay(
  rows: readonly WarehouseRow[],
  { aggregation, window }: QueryParameters,
): Generator<WarehouseRow> {
  if (aggregation !== 'count' || window !== 'day')
    throw new QueryRefused('the hostile warehouse counts events by day, and no other usage');
  for (const [day, same] of Map.groupBy(rows, (row) => dayOf(instantOf(row, 'time'))))
    yield { window_start: formatInstant(dayStart(day)), events: same.length, value: String(same.length) };
}

/** The warehouse of a simulation: every row at least once, and nobody knows how often. */
export function openHostileWarehouse({ schedule, faults }: HostileWarehouseOptions): HostileWarehouse {
  const downUntil = Number.MIN_SAFE_INTEGER;
  const engine: Engine = { schedule, faults, taken: new Map(), downUntil, closed: false };
  return {
    append: (table, rows) => append(engine, table, rows),
    appendEvents: async (rows) => append(engine, 'events', rows.map(toWarehouseRow)),
    query: (name, parameters) => query(engine, name, parameters),
    meteredEvents: (parameters) => meteredFromRows(query(engine, 'metered_events', parameters)),
    async close() {
      engine.closed = true;
    },
    setFaults(changed) {
      engine.faults = changed;
    },
    failFor(micros) {
      engine.downUntil = schedule.now() + micros;
    },
    rows: (table) => (engine.taken.get(table) ?? []).map(copyOf),
  };
}
