/** What is assumed of the events and of what carries them: everything in the formula that is no price. */
export interface Workload {
  /** Rows that commits write per event (docs/performance.md, `npm run bench -- --only writes`). */
  readonly rowsPerEvent: number;
  /** Rows that commits read per event: its own row, and the cells of its meters. */
  readonly readsPerEvent: number;
  /** What a message weighs in Pub/Sub: body, attributes, id and time. */
  readonly messageBytes: number;
  /** What a row of the warehouse weighs when it is appended, and when it is stored and compressed. */
  readonly appendedBytes: number;
  readonly warehouseBytes: number;
  /** Hour cells that are new, not written again, per event: meters, over the events of a subject in an hour. */
  readonly newCellsPerEvent: number;
  /** What an event's row weighs in the database, and an hour cell's, keys and overhead included. */
  readonly eventRowBytes: number;
  readonly cellBytes: number;
  /** Events a worker's CPU commits and appends in a second, and the part of its CPUs that is used on average. */
  readonly eventsPerCpuSecond: number;
  readonly workerUse: number;
}

/** Messages with the most rows that were measured: two meters, 100,000 subjects for each 1,000 events a second, so 36 an hour for each. */
export const WORKLOAD: Workload = {
  rowsPerEvent: 2.97,
  readsPerEvent: 3,
  messageBytes: 400,
  appendedBytes: 600,
  warehouseBytes: 80,
  newCellsPerEvent: 2 / 36,
  eventRowBytes: 180,
  cellBytes: 220,
  eventsPerCpuSecond: 2_000,
  workerUse: 0.5,
};

/** Rows a second that a Spanner node of one region writes or reads at the load that Google recommends, by its documentation. */
export const NODE = { writesPerSecond: 3_500, readsPerSecond: 22_500, least: 1 };

/** What Terraform declares: terraform/modules, with the values of environments/prod. */
export const PLATFORM = {
  /** Instances, their CPUs and GiB, the collector's beside them included. */
  workersLeast: 2,
  workerCpus: 2.5,
  workerGib: 2.5,
  topicDays: 7,
  backupCopies: 3,
  archiveStandardDays: 30,
  archiveDays: 400,
  /** How long rows live: domain/limits.ts. */
  eventRowDays: 53,
  cellDays: 400,
  /** A year of the warehouse is kept, of which three months at the price of what changes. */
  warehouseMonths: 12,
  warehouseActiveMonths: 3,
  /** How often each byte that was appended is read by queries: proofs of invoices, the drift check, the data team. */
  warehouseReads: 2,
};
