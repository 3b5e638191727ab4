/** How much of a partitioned table is where. */
export interface PartitionedBounds {
  /** What the log may hold: so much a process reads that looks for the first time, and so much each process keeps in memory. */
  readonly logBytes: number;
  readonly logEntries: number;
  /** What memory may hold of rows that are not in the log: some hours of them where subjects are many. */
  readonly heldBytes: number;
  /** About so many bytes of changes are one entry of the log, which a process reads at a time. */
  readonly entryBytes: number;
}

export const PARTITIONED_BOUNDS: PartitionedBounds = {
  logBytes: 33_554_432,
  logEntries: 128,
  heldBytes: 67_108_864,
  entryBytes: 1_048_576,
};
