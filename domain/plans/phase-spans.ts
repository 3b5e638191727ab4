import { advance } from '../calendar/advance.ts';
import { isOfOneKind, parseDuration, type Duration } from '../calendar/duration.ts';
import type { TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { floorToMinute, type Instant } from '../instant.ts';
import type { Phase, PlanVersionDefinition } from './plan-version.ts';

/** When a phase is in force. The last one's `to` is Infinity. */
export interface PhaseSpan extends TimeWindow {
  readonly phase: Phase;
}

/** From where a run of durations of one kind is counted, and how much of it has passed. */
interface Count {
  readonly origin: Instant;
  readonly length: Duration;
}

const NOTHING: Duration = { months: 0, days: 0, seconds: 0, weeks: false };

/**
 * The phases of a version from a moment on, in order, contiguous and of whole minutes. Lengths of one kind that follow each other are counted
 * together from where the first of them began, so that day 31 comes back after February; a length of another kind is counted from where
 * it begins. Worked: `P1M`, `P1M` from 31 January end on 28 February and 31 March; `P14D`, `P3M` from 20 January end on 3 February and 3 May.
 * The version is a checked one.
 */
export function phaseSpans(
  { phases }: Pick<PlanVersionDefinition, 'phases'>,
  phasesFrom: Instant,
  zone: TimeZone,
): PhaseSpan[] {
  const spans: PhaseSpan[] = [];
  let count: Count = { origin: phasesFrom, length: NOTHING };
  let from = floorToMinute(phasesFrom);
  for (const phase of phases) {
    const length = phase.duration == null ? undefined : parseDuration(phase.duration);
    if (length === undefined) return [...spans, { phase, from, to: Infinity }];
    count = goOn(count, length, from);
    const to = floorToMinute(advance(zone, count.origin, count.length, 1));
    spans.push({ phase, from, to });
    from = to;
  }
  return spans;
}

function goOn({ origin, length }: Count, next: Duration, from: Instant): Count {
  const together = {
    months: length.months + next.months,
    days: length.days + next.days,
    seconds: length.seconds + next.seconds,
    weeks: false,
  };
  return isOfOneKind(together) ? { origin, length: together } : { origin: from, length: next };
}

/** The phase that is in force at a moment: the first one before they begin, the last one after all others. */
export const phaseAt = (spans: readonly PhaseSpan[], at: Instant): PhaseSpan | undefined =>
  spans.findLast((span) => span.from <= at && at < span.to) ?? spans[0];
