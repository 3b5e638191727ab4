import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import { toDecimalString, toScaled } from '#domain/metering/quantity.ts';
import { splitBySpans } from '#domain/usage/counted-spans.ts';
import { divideHalfAwayFromZero } from '#domain/usage/division.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import type { CountedEvent } from './counted-event.ts';
import type { Levels } from './levels.ts';

/** What one subject holds in one group while its events go by. */
interface Track {
  /** When it counts. */
  readonly spans: readonly TimeWindow[];
  level: bigint;
  /** How many of the spans have begun. */
  begun: number;
}

/** Average levels over a period, from the levels that it began with and its events one by one. */
export interface LevelRecount {
  take(event: CountedEvent): void;
  /** By group: of those that held something, or had events, while they counted. */
  averages(): Map<string, string>;
}

/**
 * A change counts from its time to the end of each span in which its subject is the customer's: (level x time held) summed over all of
 * them, by the time of the whole period. Worked: +3 half an hour into an hour is 3 x 30 / 60 = 1.5. `groupOf` says under which group one of the
 * meter's counts.
 */
export function createLevelRecount(
  period: TimeWindow,
  subjects: readonly AskedSubject[],
  levels: Levels,
  groupOf: (group: string) => string,
): LevelRecount {
  const spansOf = new Map(subjects.map((asked) => countedSpans(period, asked)));
  const tracks = new Map<string, { readonly group: string; readonly track: Track }>();
  const integrals = new Map<string, bigint>();

  const trackOf = (subject: string, group: string): Track => {
    const name = JSON.stringify([subject, group]);
    const known = tracks.get(name);
    if (known) return known.track;
    const level = levels.get(subject)?.get(group) ?? 0n;
    const track = { spans: spansOf.get(subject) ?? [], level, begun: 0 };
    tracks.set(name, { group, track });
    return track;
  };
  const hold = (group: string, amount: bigint): void =>
    void integrals.set(groupOf(group), (integrals.get(groupOf(group)) ?? 0n) + amount);
  /** What a span begins with is held through all of it. */
  const reach = (track: Track, group: string, time: Instant): void => {
    for (let span = track.spans[track.begun]; span && span.from <= time; span = track.spans[++track.begun])
      if (track.level !== 0n) hold(group, track.level * BigInt(span.to - span.from));
  };

  for (const [subject, groups] of levels) for (const group of groups.keys()) trackOf(subject, group);
  return {
    take: ({ said: { subject, time }, effect: { group, value } }) => {
      const track = trackOf(subject, group);
      reach(track, group, time);
      const change = toScaled(value);
      const current = track.spans[track.begun - 1];
      if (current && time < current.to) hold(group, change * BigInt(current.to - time));
      track.level += change;
    },
    averages: () => {
      for (const { group, track } of tracks.values()) reach(track, group, period.to);
      const time = BigInt(period.to - period.from);
      return new Map(
        [...integrals].map(([group, held]) => [group, toDecimalString(divideHalfAwayFromZero(held, time))]),
      );
    },
  };
}

function countedSpans(period: TimeWindow, asked: AskedSubject): [string, readonly TimeWindow[]] {
  if (typeof asked === 'string') return [asked, [period]];
  return [asked.subject, [...splitBySpans(period, asked.spans)].filter(({ counts }) => counts)];
}
