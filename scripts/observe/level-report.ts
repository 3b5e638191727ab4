import type { ServiceLevel } from '#infra/telemetry/service-levels.ts';
import { countedUpTo, matches, total, type MetricBook } from './metric-book.ts';

/** A service level as it stands since the processes started: what they have told, not the whole of its window. */
export interface LevelReport {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly objective: number;
  readonly windowDays: number;
  readonly counted: number;
  readonly bad: number;
  /** Null while nothing was counted. */
  readonly share: number | null;
  /** What is left of the errors that the objective allows: 1 none was made, 0 all are used up, below 0 too many. */
  readonly budgetLeft: number | null;
}

export function reportLevel(level: ServiceLevel, book: MetricBook): LevelReport {
  const { id, title, description, objective, windowDays, indicator } = level;
  const counts = (metric: string, labels: Readonly<Record<string, readonly string[]>>) =>
    book.series(metric).filter((series) => matches(series.labels, labels));
  const about = { id, title, description, objective, windowDays };
  if (indicator.kind === 'ratio') {
    const counted = total(counts(indicator.total.metric, indicator.total.labels));
    return {
      ...about,
      ...judge(objective, counted, total(counts(indicator.bad.metric, indicator.bad.labels))),
    };
  }
  const series = counts(indicator.metric, indicator.labels);
  const counted = total(series);
  return { ...about, ...judge(objective, counted, counted - countedUpTo(series, indicator.atMost)) };
}

function judge(objective: number, counted: number, bad: number) {
  if (counted === 0) return { counted, bad, share: null, budgetLeft: null };
  return { counted, bad, share: 1 - bad / counted, budgetLeft: 1 - bad / counted / (1 - objective) };
}
