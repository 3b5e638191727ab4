import { expect } from 'chai';
import { formatDate, formatMoment, formatPeriod } from '#infra/documents/format-time.ts';
import { at, span } from '#test/domain/invoicing/invoice-builders.ts';

describe('times of a document', () => {
  it('are first and last day where a period is of whole days in its zone, and two moments otherwise', () => {
    expect(formatPeriod(span('2026-02-01', '2026-03-01'), 'UTC')).to.equal('1 Feb – 28 Feb 2026');
    expect(formatPeriod(span('2026-12-15', '2027-01-15'), 'UTC')).to.equal('15 Dec 2026 – 14 Jan 2027');
    expect(formatPeriod(span('2026-02-28', '2026-03-01'), 'UTC')).to.equal('28 Feb 2026');
    expect(formatPeriod(span('2026-02-01', '2026-03-01'), 'Asia/Kolkata')).to.equal(
      '1 Feb 05:30 – 1 Mar 2026 05:30',
    );
    expect(formatPeriod(span('2026-02-01', '2026-02-01'), 'UTC')).to.equal('1 Feb 2026 00:00');
  });

  it('follow the clock of the zone over its changes', () => {
    const auckland = span('2026-03-31T11:00:00Z', '2026-04-30T12:00:00Z');
    expect(formatPeriod(auckland, 'Pacific/Auckland')).to.equal('1 Apr – 30 Apr 2026');
  });

  it('are dates and moments that every reader takes for the same day', () => {
    expect(formatDate('2026-03-01')).to.equal('1 Mar 2026');
    expect(formatMoment(at('2026-03-01T23:59:00Z'), 'Asia/Tokyo')).to.equal('2 Mar 2026 08:59');
  });
});
