import type { PortableWorkerOptions } from './portable-worker.ts';

/** What differs between the backings of a worker. */
export type Backing = Pick<
  PortableWorkerOptions,
  'stores' | 'openSources' | 'join' | 'rowsPerCommitMax' | 'ackDeadlineSeconds'
> & {
  /** For the process that does batch work. */
  readonly batchArgs: readonly string[];
};
