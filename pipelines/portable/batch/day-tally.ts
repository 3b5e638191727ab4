import type { CombineFn } from '#pipelines/beam/combining.ts';
import { emptyReport, mergeReports, type DayReport } from '#pipelines/reconcile/report-day.ts';
import { bothControlled, NO_CONTROL, type ControlTally } from './control-tally.ts';

/** What a step has done of a day. Plain data. */
export interface DayTally {
  readonly report: DayReport;
  readonly control: ControlTally;
}

export const dayOfTally = ({ report: { day } }: DayTally): string => String(day);

/** The report of a whole day, and whether it is whole. */
export class DayCombiner implements CombineFn<DayTally, DayTally, DayTally> {
  createAccumulator(): DayTally {
    return { report: emptyReport(0), control: NO_CONTROL };
  }

  addInput(into: DayTally, { report, control }: DayTally): DayTally {
    return {
      report: mergeReports(report.day, [into.report, report]),
      control: bothControlled(into.control, control),
    };
  }

  mergeAccumulators(several: Iterable<DayTally>): DayTally {
    let merged = this.createAccumulator();
    for (const tally of several) merged = this.addInput(merged, tally);
    return merged;
  }

  extractOutput(tally: DayTally): DayTally {
    return tally;
  }
}
