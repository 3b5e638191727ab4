import { column, defineTable, jsonColumn, nullable, type Table } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import type { Evidence } from './combine-claims.ts';

/** A worker of the fleet that lives, or that died lately. */
export const fleetWorker = defineTable('fleet_worker', {
  columns: {
    worker: column('string'),
    /** Its slot of the hour cells. */
    slot: column('int64'),
    /** The release it runs, for people. */
    release: column('string'),
    startedAt: column('timestamp'),
    heartbeatAt: column('timestamp'),
  },
  key: ['worker'],
  timeToLive: { column: 'heartbeatAt', days: 7, unit: 'micros' },
});

export type FleetWorkerRow = Row<typeof fleetWorker>;

/** What a worker answers for in a feed, as of one moment. */
export const workerClaim = defineTable('worker_claim', {
  columns: {
    feed: column('string'),
    worker: column('string'),
    /** All that is said here was true then. */
    claimedAt: column('timestamp'),
    /** The least publish time of a message it was given and that is neither committed nor surely with somebody else; null without one. */
    oldest: nullable('timestamp'),
    /** What its topic said of all messages lately, the newest last. */
    evidence: jsonColumn<readonly Evidence[]>(),
  },
  key: ['feed', 'worker'],
  // A dead worker's row is deleted by the living; this is for a feed that nobody serves any more.
  timeToLive: { column: 'claimedAt', days: 30, unit: 'micros' },
});
export type WorkerClaimRow = Row<typeof workerClaim>;

/** What only one worker of the fleet does at a time. */
export const errandLease = defineTable('errand_lease', {
  columns: {
    errand: column('string'),
    worker: column('string'),
    until: column('timestamp'),
  },
  key: ['errand'],
});

/** Told by who acknowledged messages that another process holds, for that one to read and delete. */
export const fleetReceipt = defineTable('fleet_receipt', {
  columns: {
    holder: column('string'),
    /** Who acknowledged them, and its own number for the row: a row that is stored again is the same one. */
    writer: column('string'),
    sequence: column('int64'),
    /** Which of the holder's messages: a set of ordinals, packed. */
    ordinals: column('bytes'),
    storedAt: column('timestamp'),
  },
  key: ['holder', 'writer', 'sequence'],
  // A holder that lives reads its receipts twice a second; this is for those that died.
  timeToLive: { column: 'storedAt', days: 1, unit: 'micros' },
});
export type FleetReceiptRow = Row<typeof fleetReceipt>;

/** A worker of a job that may hold messages: who drains the job waits until there is none. */
export const jobHolder = defineTable('job_holder', {
  columns: {
    job: column('string'),
    worker: column('string'),
    heartbeatAt: column('timestamp'),
  },
  key: ['job', 'worker'],
  // One that leaves deletes its row; this is for those that died.
  timeToLive: { column: 'heartbeatAt', days: 1, unit: 'micros' },
});

export const FLEET_TABLES: readonly Table<object>[] = [
  fleetWorker,
  workerClaim,
  errandLease,
  fleetReceipt,
  jobHolder,
];
