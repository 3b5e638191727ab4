import type { Logger } from 'pino';
import type { KeyRing } from '#infra/access/key-ring.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database } from '#infra/database/database.ts';
import type { Checks } from '#infra/entitlements/create-checks.ts';
import type { Reservations } from '#infra/entitlements/create-reservations.ts';
import type { InFlight } from '#infra/idempotency/run-idempotent.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { BacklogSource } from '#infra/usage/read-status.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { Ingest } from './events/ingest.ts';
import type { Drain } from './http/drain.ts';
import type { Metrics } from './http/metrics.ts';
import type { BackgroundRunner } from './background/background-runner.ts';
import type { PipelineReports } from './operation/pipeline-reports.ts';

/** A feed as far as an operator asks about it. */
export type FeedSource = BacklogSource & Pick<Topic, 'oldestUnacknowledged'>;

/** What the routes work with: made once when the process starts. */
export interface Services {
  readonly database: Database;
  readonly warehouse: Warehouse;
  /** The topic that only the API publishes to; its messages name their namespace. */
  readonly topic: Topic;
  /** What is told of each feed's backlog, by its name. */
  readonly feeds: Readonly<Record<string, FeedSource>>;
  readonly catalogues: Catalogues;
  readonly keys: KeyRing;
  readonly inFlight: InFlight;
  readonly ingest: Ingest;
  /** Checks that come at the same time share snapshots. */
  readonly checks: Checks;
  /** Reservations that come at the same time share commits. */
  readonly reservations: Reservations;
  /** Works on invoice runs between answers. */
  readonly invoiceRuns: Pick<BackgroundRunner, 'start'>;
  /** Works on corrections by filter between answers. */
  readonly corrections: Pick<BackgroundRunner, 'start'>;
  /** Works on staged imports between answers. */
  readonly imports: Pick<BackgroundRunner, 'start'>;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly pipeline: PipelineReports;
  readonly drain: Drain;
  /** The release that runs, as `package.json` names it. */
  readonly version: string;
}
