import { dayOf } from '../instant.ts';
import { EVALUATION_ROWS_MAX } from '../limits.ts';
import { emptyDayCell } from '../metering/day-cell.ts';
import { parsePlainDecimal } from '../metering/quantity.ts';
import { emptySubjectUsage, type SubjectUsage } from '../usage/loaded-usage.ts';
import { readingPlan, type ReadingPlan } from '../usage/reading-plan.ts';
import { GROUP_BY_SUBJECT, firstWindows, usageQuery, type UsageQuery } from '../usage/usage-query.ts';
import { usageRows, type UsageRow } from '../usage/usage-rows.ts';
import { checkEvaluation } from './check-evaluation.ts';
import { EvaluationError, type Evaluation, type EvaluationAnswer } from './evaluation.ts';
import { foldEvents } from './fold-events.ts';
import { loadCells } from './load-cells.ts';
import { alignedRange, applyRowRules } from './row-rules.ts';

/**
 * What usage would be if these events were stored, in small steps, so that whoever serves others too may pause between them.
 * Throws `EvaluationError` with all violations; `UsageQueryError` where widening leaves the years that instants can name.
 */
export function* evaluationSteps(evaluation: Evaluation): Generator<void, EvaluationAnswer> {
  const violations = checkEvaluation(evaluation);
  if (violations.length > 0) throw new EvaluationError(violations);
  const query = queryOf(evaluation);
  const { batches, events } = yield* foldEvents(evaluation, query.from);
  const plan = readingPlan(query);
  const usage = initialUsage(evaluation, query, plan);
  for (const batch of batches) {
    yield;
    usage.push(...loadCells(batch, query.aggregation, plan));
  }
  const rows: UsageRow[] = [];
  for (const row of rowsOf(evaluation, query, usage)) {
    yield;
    if (rows.push(applyRowRules(evaluation.query, row)) > EVALUATION_ROWS_MAX) throw tooManyRows();
  }
  return { from: query.from, to: query.to, timezone: query.timezone, rows, events };
}

/** The same at once. Worked: +2 at 00:00 and +3 at 06:00 of a timeWeightedSum over that day is 4.25. */
export function evaluateUsage(evaluation: Evaluation): EvaluationAnswer {
  const steps = evaluationSteps(evaluation);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function queryOf({ meter, query: asked }: Evaluation): UsageQuery {
  const { window, timezone, groupBy = [], filter = {} } = asked;
  const range = alignedRange(asked);
  const query = usageQuery({
    aggregation: meter.aggregation,
    ...range,
    window,
    timezone,
    // Days that end within the range are read as day cells, the rest as hours and minutes: all that a real answer is made of.
    rolledThrough: dayOf(range.to) - 1,
    dimensions: Object.keys(meter.dimensions ?? {}),
    groupBy,
    filter,
  });
  // With groups a window may have no row, and is work nevertheless.
  if (firstWindows(query, EVALUATION_ROWS_MAX).to < query.to) throw tooManyRows();
  return query;
}

const tooManyRows = (): EvaluationError =>
  new EvaluationError([
    {
      pointer: '/query/window',
      code: 'too_many_rows',
      message: `would give more than ${EVALUATION_ROWS_MAX} windows or rows: ask for a longer window or a shorter range`,
    },
  ]);

/** The initial level as a store would have it: the carry of the day that levels begin from, in a group that the filter lets through. */
function initialUsage({ query: asked }: Evaluation, query: UsageQuery, plan: ReadingPlan): SubjectUsage[] {
  if (asked.initialLevel === undefined || plan.levelDay === undefined) return [];
  const carry = parsePlainDecimal(asked.initialLevel);
  if (typeof carry === 'string') throw new Error(`not checked: ${carry}`);
  const values = query.dimensions.map((name) => query.filter[name]?.[0] ?? '');
  const level = {
    day: plan.levelDay,
    group: values.length === 0 ? '' : JSON.stringify(values),
    cell: { ...emptyDayCell(), carry },
  };
  return [{ ...emptySubjectUsage(''), levels: [level] }];
}

/** Only rows by group are left out where there is no usage, so without groups everything is asked for as the usage of one subject. */
function* rowsOf(
  { query: asked }: Evaluation,
  query: UsageQuery,
  usage: readonly SubjectUsage[],
): Generator<UsageRow, void> {
  if (!asked.omitEmpty || query.bySubject || query.groupBy.length > 0) {
    yield* usageRows(query, usage);
    return;
  }
  const asOne = usage.map((each) => ({ ...each, subject: GROUP_BY_SUBJECT }));
  for (const { from, to, value } of usageRows({ ...query, bySubject: true }, asOne))
    yield { from, to, value };
}
