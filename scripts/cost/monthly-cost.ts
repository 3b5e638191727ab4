import { PRICES, type PriceName } from './prices.ts';
import { NODE, PLATFORM, type Workload } from './workload.ts';

/** What one part costs in a month: so many units at a price. An estimate, no bill: plain numbers are exact enough. */
export interface CostItem {
  readonly part: 'Pub/Sub' | 'Workers' | 'Spanner' | 'BigQuery' | 'Archive';
  readonly what: string;
  readonly units: number;
  readonly price: PriceName;
  readonly dollars: number;
}

const DAYS = 365 / 12;
const HOURS = DAYS * 24;
const SECONDS = HOURS * 3_600;
const GB = 1e9;
const GIB = 2 ** 30;
const TIB = 2 ** 40;

export const eventsPerMonth = (eventsPerSecond: number): number => eventsPerSecond * SECONDS;

/** All parts of a month at a steady rate. Nothing is free, and nothing is discounted. */
export function monthlyCost(eventsPerSecond: number, workload: Workload): CostItem[] {
  const events = eventsPerMonth(eventsPerSecond);
  return [
    ...pubsub(events, workload),
    ...workers(eventsPerSecond, workload),
    ...spanner(eventsPerSecond, workload),
    ...bigquery(events, workload),
    ...archive(events, workload),
  ];
}

export const sumOf = (items: readonly CostItem[]): number =>
  items.reduce((sum, { dollars }) => sum + dollars, 0);

const itemOf =
  (part: CostItem['part']) =>
  (what: string, units: number, price: PriceName): CostItem => ({
    part,
    what,
    units,
    price,
    dollars: units * PRICES[price].dollars,
  });

function pubsub(events: number, { messageBytes }: Workload): CostItem[] {
  const item = itemOf('Pub/Sub');
  const bytes = events * messageBytes;
  return [
    item('published, and delivered to workers', (2 * bytes) / TIB, 'pubsubThroughput'),
    item('delivered to the archive', bytes / TIB, 'pubsubExport'),
    item('kept for seven days', (bytes * (PLATFORM.topicDays / DAYS)) / GIB, 'pubsubRetention'),
  ];
}

/** Whole instances: half of one is paid as one. */
export function workerInstances(eventsPerSecond: number, workload: Workload): number {
  const cpus = eventsPerSecond / workload.eventsPerCpuSecond / workload.workerUse;
  return Math.max(PLATFORM.workersLeast, Math.ceil(cpus / PLATFORM.workerCpus));
}

function workers(eventsPerSecond: number, workload: Workload): CostItem[] {
  const item = itemOf('Workers');
  const instanceSeconds = workerInstances(eventsPerSecond, workload) * SECONDS;
  return [
    item('CPU', instanceSeconds * PLATFORM.workerCpus, 'runCpu'),
    item('memory', instanceSeconds * PLATFORM.workerGib, 'runMemory'),
  ];
}

/** Whole nodes, as the autoscaler has them, and never fewer than its least size. */
export function spannerNodes(eventsPerSecond: number, { rowsPerEvent, readsPerEvent }: Workload): number {
  const load =
    (eventsPerSecond * rowsPerEvent) / NODE.writesPerSecond +
    (eventsPerSecond * readsPerEvent) / NODE.readsPerSecond;
  return Math.max(NODE.least, Math.ceil(load));
}

function spanner(eventsPerSecond: number, workload: Workload): CostItem[] {
  const item = itemOf('Spanner');
  const perDay = (eventsPerSecond * SECONDS) / DAYS;
  const cellsPerDay = perDay * workload.newCellsPerEvent;
  const bytes =
    perDay * PLATFORM.eventRowDays * workload.eventRowBytes +
    cellsPerDay * PLATFORM.cellDays * workload.cellBytes;
  return [
    item('nodes', spannerNodes(eventsPerSecond, workload) * HOURS, 'spannerNode'),
    item('rows of events and cells', bytes / GB, 'spannerStorage'),
    item('backups', (bytes * PLATFORM.backupCopies) / GB, 'spannerBackup'),
  ];
}

function bigquery(events: number, { appendedBytes, warehouseBytes }: Workload): CostItem[] {
  const item = itemOf('BigQuery');
  const month = (events * warehouseBytes) / GIB;
  const { warehouseActiveMonths: active, warehouseMonths: all } = PLATFORM;
  return [
    item('appended', (events * appendedBytes) / GIB, 'bigqueryWrite'),
    item('stored, the last three months', month * active, 'bigqueryActive'),
    item('stored, the rest of a year', month * (all - active), 'bigqueryLongTerm'),
    item('read by queries', (events * appendedBytes * PLATFORM.warehouseReads) / TIB, 'bigqueryQuery'),
  ];
}

function archive(events: number, { messageBytes }: Workload): CostItem[] {
  const item = itemOf('Archive');
  const day = (events * messageBytes) / GB / DAYS;
  return [
    item('the last month', day * PLATFORM.archiveStandardDays, 'storageStandard'),
    item('older', day * (PLATFORM.archiveDays - PLATFORM.archiveStandardDays), 'storageColdline'),
  ];
}
