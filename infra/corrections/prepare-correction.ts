import { checkCorrection } from '#domain/corrections/check-correction.ts';
import type { CorrectionRequest } from '#domain/corrections/correction.ts';
import type { Instant } from '#domain/instant.ts';
import { CORRECTION_SUBJECTS_MAX } from '#domain/limits.ts';
import type { Violation } from '#domain/violation.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Database, SnapshotReads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { CorrectionError } from './errors.ts';

export interface AskedCorrection extends CorrectionRequest {
  readonly namespace: string;
  /** Means only events that were committed by then, such as those of a preview; as late as can be when absent. */
  readonly asOf?: Instant | undefined;
}

/** A correction that can be done, with what is known of its events from the outset: which ones are meant does not change any more. */
export interface PreparedCorrection extends CorrectionRequest {
  readonly namespace: string;
  readonly asOf: Instant;
  /** All that the customer of the filter ever had; null where none is named. */
  readonly subjects: readonly string[] | null;
}

/**
 * Checks a request and settles which events it means: those committed before all feeds' watermarks, which the warehouse has. Throws
 * `CorrectionError` `invalid_correction` with all that is wrong.
 */
export async function prepareCorrection(
  database: Database,
  asked: AskedCorrection,
): Promise<PreparedCorrection> {
  const { namespace, action, filter, change } = asked;
  refuse(checkCorrection(asked));
  return inSnapshot(database, async (snapshot) => {
    // What is void stands in the database; what is not has to be in the warehouse.
    const freshness = action === 'restore' ? undefined : await readFreshness(snapshot, namespace);
    const latest = Math.min(freshness?.asOf ?? snapshot.at, snapshot.at);
    const { customer } = filter;
    const subjects = customer === undefined ? null : await subjectsOf(snapshot, namespace, customer);
    const asOf = Math.min(asked.asOf ?? latest, latest);
    return { namespace, action, filter, change, asOf, subjects };
  });
}

async function subjectsOf(snapshot: SnapshotReads, namespace: string, customer: string): Promise<string[]> {
  const pointer = '/filter/customer';
  const [row] = await snapshot.read(customerTable, [[namespace, customer]]);
  if (row === undefined)
    refuse([{ pointer, code: 'customer_not_found', message: `there is no customer ${customer}` }]);
  const owned = await subjectsOfCustomer(snapshot, namespace, customer);
  if (owned.length === 0)
    refuse([{ pointer, code: 'customer_without_subjects', message: 'never had a subject' }]);
  if (owned.length > CORRECTION_SUBJECTS_MAX)
    refuse([
      {
        pointer,
        code: 'too_many_subjects',
        message: `had ${owned.length} subjects: name up to ${CORRECTION_SUBJECTS_MAX} of them instead`,
      },
    ]);
  return owned.map(({ subject }) => subject);
}

function refuse(violations: readonly Violation[]): void {
  if (violations.length > 0)
    throw new CorrectionError('invalid_correction', sentenceOf(violations), violations);
}
