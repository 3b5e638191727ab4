import { expect } from 'chai';
import fc from 'fast-check';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { MICROS_PER_MINUTE } from '#domain/instant.ts';
import { phaseAt, phaseSpans } from '#domain/plans/phase-spans.ts';
import type { Phase } from '#domain/plans/plan-version.ts';
import { instant } from '#test/domain/calendar/times.ts';

const phasesOf = (durations: readonly string[]): Phase[] => [
  ...durations.map((duration, index) => ({ key: `phase-${index}`, duration, charges: [] })),
  { key: 'rest', charges: [] },
];

const endsOf = (from: string, durations: readonly string[], zone = 'UTC'): string[] =>
  phaseSpans({ phases: phasesOf(durations) }, instant(from), timeZone(zone))
    .slice(0, -1)
    .map(({ to }) => formatInstant(to));

describe('the phases of a version', () => {
  it('are counted together from where lengths of one kind began, so that day 31 comes back', () => {
    expect(endsOf('2026-01-31T00:00:00Z', ['P1M', 'P1M', 'P1Y'])).to.deep.equal([
      '2026-02-28T00:00:00Z',
      '2026-03-31T00:00:00Z',
      '2027-03-31T00:00:00Z',
    ]);
  });

  it('are counted from the end of the phase before where that has a length of another kind', () => {
    expect(endsOf('2026-01-20T00:00:00Z', ['P14D', 'P3M', 'P3M', 'PT36H'])).to.deep.equal([
      '2026-02-03T00:00:00Z',
      '2026-05-03T00:00:00Z',
      '2026-08-03T00:00:00Z',
      '2026-08-04T12:00:00Z',
    ]);
  });

  it('end at the local time of day at which they began, over a change of the clocks', () => {
    expect(endsOf('2026-03-20T23:00:00Z', ['P14D', 'P1M'], 'Europe/Berlin')).to.deep.equal([
      '2026-04-03T22:00:00Z',
      '2026-05-03T22:00:00Z',
    ]);
    expect(endsOf('2026-03-20T11:30:00Z', ['P14D'], 'Pacific/Auckland')).to.deep.equal([
      '2026-04-03T11:30:00Z',
    ]);
  });

  it('have the first in force before they begin and the last one for good', () => {
    const begin = instant('2026-01-01T00:00:00Z');
    const spans = phaseSpans({ phases: phasesOf(['P1D']) }, begin, timeZone('UTC'));
    const keyAt = (at: number): string | undefined => phaseAt(spans, at)?.phase.key;
    expect(keyAt(begin - 1)).to.equal('phase-0');
    expect(keyAt(begin)).to.equal('phase-0');
    expect(keyAt(instant('2026-01-02T00:00:00Z') - 1)).to.equal('phase-0');
    expect(keyAt(instant('2026-01-02T00:00:00Z'))).to.equal('rest');
    expect(keyAt(instant('2099-01-02T00:00:00Z'))).to.equal('rest');
  });

  it('are contiguous, of whole minutes and in order, whatever the zone, beginning and lengths', () => {
    const lengths = fc.constantFrom(
      'P1M',
      'P3M',
      'P1Y',
      'P14D',
      'P1W',
      'P1D',
      'PT1H',
      'PT30M',
      'P1M15D',
      'P1DT6H',
    );
    const zones = fc.constantFrom(
      'UTC',
      'Pacific/Apia',
      'Pacific/Kiritimati',
      'Pacific/Pago_Pago',
      'Asia/Kolkata',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
    );
    const begins = fc.integer({ min: instant('2010-01-01T00:00:00Z') / MICROS_PER_MINUTE, max: 35e6 });
    fc.assert(
      fc.property(zones, begins, fc.array(lengths, { maxLength: 12 }), (zone, minute, durations) => {
        const from = minute * MICROS_PER_MINUTE;
        const spans = phaseSpans({ phases: phasesOf(durations) }, from, timeZone(zone));
        expect(spans).to.have.length(durations.length + 1);
        expect(spans[0]?.from).to.equal(from);
        expect(spans.at(-1)?.to).to.equal(Infinity);
        for (const [index, span] of spans.entries()) {
          expect(span.from % MICROS_PER_MINUTE).to.equal(0);
          expect(span.to).to.be.at.least(span.from);
          if (index > 0) expect(span.from).to.equal(spans[index - 1]?.to);
          if (span.to > span.from) expect(phaseAt(spans, span.from)).to.equal(span);
        }
      }),
    );
  });
});
