import type { MeterVersion } from '#domain/metering/meter.ts';
import { compareSubject, type StoredSubject } from '#infra/reconcile/compare-subject.ts';
import type { CellOwner } from '#infra/usage/replace-cells.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { nothingStored } from '#pipelines/reconcile/compare-subjects.ts';
import { emptyReport, reportOfSubject } from '#pipelines/reconcile/report-day.ts';
import { settleSubject, type Reconciling } from '#pipelines/reconcile/settle-subject.ts';
import { reportDay } from '#pipelines/reconcile/work-on-reconciliation.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';
import { assertAllArrived, controlOfArrived, type ControlTally } from './control-tally.ts';
import type { DayTally } from './day-tally.ts';
import type { SpanOfDays } from './reconcile-days.ts';
import { batchRuntime } from './runtime.ts';
import { unpackStored } from './stored-on-wire.ts';

/**
 * Compares what is stored of a subject's day with what its events come to, and repairs it where that is asked for. One of which not all has arrived is
 * neither compared nor repaired: its day will not be reported.
 */
export class SettleSubjects implements AsyncDoFn<SubjectRecount, DayTally> {
  readonly runtimeName: string;
  readonly of: Reconciling;
  readonly meter: MeterVersion;
  readonly owners: readonly CellOwner[];

  constructor(runtimeName: string, { of, meter, owners }: Pick<SettleSubjects, 'of' | 'meter' | 'owners'>) {
    this.runtimeName = runtimeName;
    this.of = of;
    this.meter = meter;
    this.owners = owners;
  }

  process(recount: SubjectRecount): Iterable<DayTally> | Promise<Iterable<DayTally>> {
    const control = controlOfArrived(recount);
    if (control.broken > 0) return [{ report: emptyReport(recount.day), control }];
    const { day, subject, hours, values } = recount;
    const stored = recount.stored === undefined ? nothingStored(subject) : unpackStored(recount.stored);
    const { aggregation } = this.meter.definition;
    const owners = new Set(this.owners);
    const differences = compareSubject(stored, { aggregation, owners, hours, values });
    if (differences.length === 0) return [{ report: reportOfSubject(day, []), control }];
    return this.settle({ stored, recount, differences }, control);
  }

  private async settle(
    differing: {
      readonly stored: StoredSubject;
      readonly recount: SubjectRecount;
      readonly differences: ReturnType<typeof compareSubject>;
    },
    control: ControlTally,
  ): Promise<DayTally[]> {
    const { database, scheduler } = await batchRuntime(this.runtimeName);
    const { of, meter } = this;
    const { day } = differing.recount;
    const settle = { of, meter, day, owners: new Set(this.owners), now: scheduler.now() };
    const report = reportOfSubject(day, await settleSubject(database, settle, differing));
    return [{ report, control }];
  }
}

/** Days are reported in their order, by one: how far a reconciliation is, is one number. */
export const together = (_report: unknown): string => 'days';

/** Throws `ElementsLost` at the first day of which not all that was read has arrived: neither it nor those behind it are reported. */
export class ReportDays implements AsyncDoFn<Keyed<Iterable<Keyed<DayTally>>>> {
  readonly runtimeName: string;
  readonly span: SpanOfDays;
  readonly meter: MeterVersion;

  constructor(runtimeName: string, span: SpanOfDays, meter: MeterVersion) {
    this.runtimeName = runtimeName;
    this.span = span;
    this.meter = meter;
  }

  async process({ value: days }: Keyed<Iterable<Keyed<DayTally>>>): Promise<void> {
    const { database, scheduler } = await batchRuntime(this.runtimeName);
    const { namespace, id, worker } = this.span;
    const inOrder = Array.from(days, ({ value }) => value).sort((a, b) => a.report.day - b.report.day);
    for (const { report, control } of inOrder) {
      assertAllArrived(`day ${report.day}`, control);
      await reportDay(database, { namespace, id, worker, scheduler }, { meter: this.meter, report });
    }
  }
}
