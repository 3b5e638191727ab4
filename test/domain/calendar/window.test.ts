import { expect } from 'chai';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import {
  WINDOW_UNITS,
  windowAt,
  windowsBetween,
  type RepeatingUnit,
  type WindowUnit,
} from '#domain/calendar/window.ts';
import {
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MILLI,
  MICROS_PER_MINUTE,
  floorToMinute,
} from '#domain/instant.ts';
import { ZONES } from './zones.ts';

const at = (text: string): number => parseRfc3339(text)!.at;
const zonedAt = (zone: string, instant: number): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(Math.floor(instant / MICROS_PER_MILLI)).toZonedDateTimeISO(zone);
const microsOf = (zoned: Temporal.ZonedDateTime): number => zoned.epochMilliseconds * MICROS_PER_MILLI;

/** The boundaries of a range, its ends included. */
function boundaries(zone: string, unit: WindowUnit, from: string, to: string): string[] {
  const windows = [...windowsBetween(timeZone(zone), unit, at(from), at(to))];
  return [...windows.map((window) => formatInstant(window.from)), formatInstant(windows.at(-1)!.to)];
}

interface Place {
  readonly zone: string;
  readonly instant: number;
}

/** Instants of a zone, half of them within hours of a change of its clocks, which is where windows go wrong. */
const placesFrom = (earliest: string): fc.Arbitrary<Place> =>
  fc
    .record({
      zone: fc.constantFrom(...ZONES),
      instant: fc.integer({ min: at(earliest), max: at('2060-01-01T00:00:00Z') }),
      afterChange: fc.option(fc.integer({ min: -180, max: 180 })),
    })
    .map(({ zone, instant, afterChange }) => {
      const change = timeZone(zone).spanAt(instant).to;
      const isNear = afterChange !== null && Number.isFinite(change);
      return { zone, instant: isNear ? change + afterChange * MICROS_PER_MINUTE : instant };
    });

const places = placesFrom('1900-01-01T00:00:00Z');
const recentPlaces = placesFrom('1975-01-01T00:00:00Z');

describe('windows', () => {
  const durations: Record<WindowUnit, number> = {
    minute: 2,
    hour: 60,
    day: 900,
    month: 10_000,
    none: 10_000,
  };

  it('are contiguous, cover the range moved down to whole minutes, and each is the window of its instants', () => {
    fc.assert(
      fc.property(
        places,
        fc.constantFrom(...WINDOW_UNITS),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ zone: name, instant: from }, unit, part) => {
          const zone = timeZone(name);
          const to = from + Math.floor(part * durations[unit] * MICROS_PER_HOUR);
          let end = floorToMinute(from);
          for (const window of windowsBetween(zone, unit, from, to)) {
            expect(window.from).to.equal(end);
            expect(window.to).to.be.above(window.from);
            expect(window.to % MICROS_PER_MINUTE).to.equal(0);
            end = window.to;
            if (unit !== 'none') expectCut(window, windowAt(zone, unit, window.from), from, to);
          }
          expect(end).to.equal(floorToMinute(to));
        },
      ),
      { numRuns: 150 },
    );
  });

  /** First and last windows are cut to the range, the others are whole. */
  function expectCut(
    window: { from: number; to: number },
    whole: { from: number; to: number },
    from: number,
    to: number,
  ): void {
    expect(window.from).to.equal(Math.max(whole.from, floorToMinute(from)));
    expect(window.to).to.equal(Math.min(whole.to, floorToMinute(to)));
  }

  it('of a day begin where the zone data has the start of the day', () => {
    fc.assert(
      fc.property(recentPlaces, ({ zone, instant }) => {
        const { from, to } = windowAt(timeZone(zone), 'day', instant);
        expect(from).to.be.at.most(instant);
        expect(to).to.be.above(instant);
        // Seen from the middle, since a day may begin with an hour that reads as the day before.
        const day = zonedAt(zone, (from + to) / 2).startOfDay();
        expect(from).to.equal(microsOf(day));
      }),
      { numRuns: 300 },
    );
  });

  it('of a month begin with the first day of the month and end with the next', () => {
    fc.assert(
      fc.property(recentPlaces, ({ zone, instant }) => {
        const { from, to } = windowAt(timeZone(zone), 'month', instant);
        expect(from <= instant && instant < to).to.equal(true);
        const first = zonedAt(zone, (from + to) / 2)
          .toPlainDate()
          .with({ day: 1 });
        expect(from).to.equal(microsOf(first.toZonedDateTime(zone)));
        expect(to).to.equal(microsOf(first.add({ months: 1 }).toZonedDateTime(zone)));
      }),
      { numRuns: 200 },
    );
  });

  it('of an hour are elapsed hours that begin on a full local one; shorter only beside a change of the minutes', () => {
    fc.assert(
      fc.property(recentPlaces, ({ zone: name, instant }) => {
        const zone = timeZone(name);
        const { from, to } = windowAt(zone, 'hour', instant);
        expect(from <= instant && instant < to).to.equal(true);
        const onTheHour = (when: number): boolean => zonedAt(name, when).minute === 0;
        const changes = (when: number): boolean => zone.spanAt(when).from === when;
        expect(onTheHour(from) || changes(from)).to.equal(true);
        expect(onTheHour(to) || changes(to)).to.equal(true);
        if (to - from !== MICROS_PER_HOUR)
          expect(name).to.be.oneOf([
            'Australia/Lord_Howe',
            'Pacific/Apia',
            'Asia/Kathmandu',
            'Asia/Gaza',
            'Pacific/Kiritimati',
          ]);
        expect(to - from).to.be.at.most(MICROS_PER_HOUR);
      }),
      { numRuns: 300 },
    );
  });

  const lengthInHours = (zone: string, instant: string): number => {
    const { from, to } = windowAt(timeZone(zone), 'day', at(instant));
    return (to - from) / MICROS_PER_HOUR;
  };

  it('of a day last 23 and 25 hours where clocks change, and 23.5 and 24.5 on Lord Howe', () => {
    expect(lengthInHours('Europe/Berlin', '2026-03-29T12:00:00Z')).to.equal(23);
    expect(lengthInHours('Europe/Berlin', '2026-10-25T12:00:00Z')).to.equal(25);
    expect(lengthInHours('America/New_York', '2026-03-08T12:00:00Z')).to.equal(23);
    expect(lengthInHours('America/New_York', '2026-11-01T12:00:00Z')).to.equal(25);
    expect(lengthInHours('Australia/Lord_Howe', '2024-10-06T00:00:00Z')).to.equal(23.5);
    expect(lengthInHours('Australia/Lord_Howe', '2024-04-07T00:00:00Z')).to.equal(24.5);
  });

  it('of a day whose midnight does not exist begin at the change, and the days before and after are whole', () => {
    expect(
      boundaries('America/Sao_Paulo', 'day', '2018-11-03T03:00:00Z', '2018-11-06T02:00:00Z'),
    ).to.deep.equal([
      '2018-11-03T03:00:00Z',
      '2018-11-04T03:00:00Z',
      '2018-11-05T02:00:00Z',
      '2018-11-06T02:00:00Z',
    ]);
    expect(lengthInHours('Asia/Beirut', '2024-03-31T12:00:00Z')).to.equal(23);
    expect(formatInstant(windowAt(timeZone('Asia/Beirut'), 'day', at('2024-03-31T12:00:00Z')).from)).to.equal(
      '2024-03-30T22:00:00Z',
    );
  });

  it('of a day whose midnight comes twice begin the first time, so that the repeated hour belongs to one day only', () => {
    // St John's went from 00:01 back to 23:01: the date changes, changes back, and changes again.
    expect(
      boundaries('America/St_Johns', 'day', '2005-10-29T12:00:00Z', '2005-10-31T12:00:00Z'),
    ).to.deep.equal([
      '2005-10-29T12:00:00Z',
      '2005-10-30T02:30:00Z',
      '2005-10-31T03:30:00Z',
      '2005-10-31T12:00:00Z',
    ]);
    const again = windowAt(timeZone('America/St_Johns'), 'day', at('2005-10-30T03:00:00Z'));
    expect(formatInstant(again.from)).to.equal('2005-10-30T02:30:00Z');
    // Beirut goes from 00:00 back to 23:00: midnight is first reached by the change's end.
    expect(lengthInHours('Asia/Beirut', '2024-10-26T12:00:00Z')).to.equal(25);
  });

  it('skip a date that a zone skipped', () => {
    expect(boundaries('Pacific/Apia', 'day', '2011-12-29T10:00:00Z', '2012-01-01T10:00:00Z')).to.deep.equal([
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
      '2012-01-01T10:00:00Z',
    ]);
    expect(boundaries('Pacific/Apia', 'month', '2011-12-01T10:00:00Z', '2012-01-31T10:00:00Z')).to.deep.equal(
      ['2011-12-01T10:00:00Z', '2011-12-31T10:00:00Z', '2012-01-31T10:00:00Z'],
    );
  });

  it('of an hour repeat with the repeated hour and leave out the skipped one', () => {
    expect(
      boundaries('Europe/Berlin', 'hour', '2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z'),
    ).to.have.length(4);
    expect(
      boundaries('Europe/Berlin', 'hour', '2026-03-29T00:00:00Z', '2026-03-29T03:00:00Z'),
    ).to.have.length(4);
  });

  it('of an hour are cut at a change of half an hour, so that none is longer than an hour', () => {
    expect(
      boundaries('Australia/Lord_Howe', 'hour', '2024-04-06T14:00:00Z', '2024-04-06T16:30:00Z'),
    ).to.deep.equal([
      '2024-04-06T14:00:00Z',
      '2024-04-06T15:00:00Z',
      '2024-04-06T15:30:00Z',
      '2024-04-06T16:30:00Z',
    ]);
    expect(
      boundaries('Australia/Lord_Howe', 'hour', '2024-10-05T14:30:00Z', '2024-10-05T17:00:00Z'),
    ).to.deep.equal([
      '2024-10-05T14:30:00Z',
      '2024-10-05T15:30:00Z',
      '2024-10-05T16:00:00Z',
      '2024-10-05T17:00:00Z',
    ]);
  });

  it('of an hour are not cut at a change of whole hours that comes in the middle of one', () => {
    // St John's went from 00:01 back to 23:01, which is the same minute of the hour.
    expect(
      boundaries('America/St_Johns', 'hour', '2005-10-30T01:30:00Z', '2005-10-30T04:30:00Z'),
    ).to.deep.equal([
      '2005-10-30T01:30:00Z',
      '2005-10-30T02:30:00Z',
      '2005-10-30T03:30:00Z',
      '2005-10-30T04:30:00Z',
    ]);
  });

  it('of an hour begin at :30 and :15 UTC where the zone is at :30 and :45', () => {
    const hours: [string, string][] = [
      ['Asia/Kolkata', '2026-01-01T00:30:00Z'],
      ['Asia/Kathmandu', '2026-01-01T00:15:00Z'],
    ];
    for (const [zone, start] of hours) {
      expect(formatInstant(windowAt(timeZone(zone), 'hour', at('2026-01-01T00:59:59Z')).from)).to.equal(
        start,
      );
    }
  });

  it('move the boundaries of local mean time down to whole minutes', () => {
    // Monrovia was 44 minutes and 30 seconds behind UTC until 1972.
    const units: RepeatingUnit[] = ['hour', 'day', 'month'];
    for (const unit of units) {
      const { from, to } = windowAt(timeZone('Africa/Monrovia'), unit, at('1960-05-05T12:00:00Z'));
      expect([from, to].map((instant) => formatInstant(instant).slice(-6))).to.deep.equal([
        '44:00Z',
        '44:00Z',
      ]);
    }
  });

  it('are made as they are taken: the first of a range of centuries costs no more than of a day', () => {
    const centuries = windowsBetween(
      timeZone('Europe/Berlin'),
      'minute',
      at('1700-01-01T00:00:00Z'),
      at('2250-01-01T00:00:00Z'),
    );
    expect(
      centuries
        .take(3)
        .map(({ from, to }) => to - from)
        .toArray(),
    ).to.deep.equal([1, 1, 1].map((n) => n * MICROS_PER_MINUTE));
  });

  it('of a range within one minute are none', () => {
    expect([
      ...windowsBetween(timeZone('UTC'), 'none', at('2026-01-01T00:00:10Z'), at('2026-01-01T00:00:50Z')),
    ]).to.deep.equal([]);
  });

  it('of a month of minutes are one a minute', () => {
    const month = windowsBetween(
      timeZone('America/New_York'),
      'minute',
      at('2026-03-01T05:00:00Z'),
      at('2026-04-01T04:00:00Z'),
    );
    expect(month.reduce((count) => count + 1, 0)).to.equal(
      (31 * MICROS_PER_DAY - MICROS_PER_HOUR) / MICROS_PER_MINUTE,
    );
  });
});
