import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import type { Outcome } from '#domain/metering/classify.ts';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { countDelay, emptyDelays, type DelayHistogram } from '#infra/telemetry/delay-histogram.ts';
import type { Committed } from '#infra/usage/commit.ts';

/**
 * What a pipeline process has done since it started. Best effort, for metrics and progress: exact counts come from the tables. Each name
 * is also the metric's name, with the prefix `millrace_usage_`.
 */
export interface UsageCounters {
  /** Copies of events by what became of them. */
  accepted_total: number;
  duplicate_total: number;
  conflict_total: number;
  void_total: number;
  /** The part of the accepted that no meter counts. */
  unmatched_total: number;
  filter_error_total: number;
  schema_reported_total: number;
  /** Limit rows in which a commit took usage beyond a hard limit, neither reserved nor with room for it. */
  overdraft_total: number;
  dead_letter_total: Partial<Record<DeadLetterReason, number>>;
  heartbeat_total: number;
  rows_written_total: number;
  commits_total: number;
  commit_failures_total: number;
  /** Refused by the store, and left to be delivered again because nothing stood beside them. */
  refusal_doubted_total: number;
  appended_rows_total: number;
  append_failures_total: number;
  append_parked_total: number;
  acknowledged_total: number;
  /** Of each accepted event, from its publishing to its commit. */
  readonly commit_delay_seconds: DelayHistogram;
}

export const emptyCounters = (): UsageCounters => ({
  accepted_total: 0,
  duplicate_total: 0,
  conflict_total: 0,
  void_total: 0,
  unmatched_total: 0,
  filter_error_total: 0,
  schema_reported_total: 0,
  overdraft_total: 0,
  dead_letter_total: {},
  heartbeat_total: 0,
  rows_written_total: 0,
  commits_total: 0,
  commit_failures_total: 0,
  refusal_doubted_total: 0,
  appended_rows_total: 0,
  append_failures_total: 0,
  append_parked_total: 0,
  acknowledged_total: 0,
  commit_delay_seconds: emptyDelays(),
});

export function countCommit(
  counters: UsageCounters,
  { committedAt, classified, refused, filterErrors, schemaReports, overdrafts, rows }: Committed,
): void {
  counters.commits_total++;
  counters.rows_written_total += rows;
  counters.filter_error_total += filterErrors;
  counters.schema_reported_total += schemaReports;
  counters.overdraft_total += overdrafts;
  // Once a commit and not once an event: the name of a counter put together is a string that has to be found in the table of all names.
  const copies = countCopies(counters, classified, committedAt);
  for (const outcome of OUTCOMES) counters[`${outcome}_total`] += copies[outcome];
  for (const { refusal } of refused) {
    counters.dead_letter_total[refusal.reason] = (counters.dead_letter_total[refusal.reason] ?? 0) + 1;
  }
}

const OUTCOMES = ['accepted', 'duplicate', 'conflict', 'void'] as const satisfies readonly Outcome[];

/** The copies of a commit by outcome; of those accepted it also counts the delay, and which match nothing. */
function countCopies(
  counters: UsageCounters,
  classified: Committed['classified'],
  committedAt: Instant,
): Record<Outcome, number> {
  const copies = { accepted: 0, duplicate: 0, conflict: 0, void: 0 };
  const alike = { publishTime: 0, events: 0 };
  const countAlike = (): void => {
    const delayMicros = Math.max(0, committedAt - alike.publishTime);
    countDelay(counters.commit_delay_seconds, delayMicros / MICROS_PER_SECOND, alike.events);
  };
  for (const { outcome, copy } of classified) {
    copies[outcome]++;
    if (outcome !== 'accepted') continue;
    if (copy.effects.length === 0) counters.unmatched_total++;
    // What was published together is mostly committed together, and waited for as long.
    if (copy.event.publishTime !== alike.publishTime) {
      countAlike();
      alike.publishTime = copy.event.publishTime;
      alike.events = 0;
    }
    alike.events++;
  }
  countAlike();
  return copies;
}
