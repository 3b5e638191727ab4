import type { TimeWindow } from '#domain/calendar/window.ts';
import { floorToMinute } from '#domain/instant.ts';
import type { OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { AskedSubject } from './load-usage.ts';

/** The subject with the parts of the range in which it is owned; none when it is owned in no part of it. */
export function ownedWithin({ subject, intervals }: OwnedSubject, range: TimeWindow): AskedSubject[] {
  const whole = { from: floorToMinute(range.from), to: floorToMinute(range.to) };
  const spans = intervals
    .map(({ from, to }) => ({ from: Math.max(from, whole.from), to: Math.min(to ?? whole.to, whole.to) }))
    .filter(({ from, to }) => from < to);
  const [only] = spans;
  if (only === undefined) return [];
  const always = only.from === whole.from && only.to === whole.to;
  return [always ? subject : { subject, spans }];
}
