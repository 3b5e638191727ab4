import { expect } from 'chai';
import { isOfOneKind, parseDuration } from '#domain/calendar/duration.ts';

describe('durations', () => {
  it('are read from ISO 8601: years are months, weeks days, hours and minutes seconds', () => {
    const none = { months: 0, days: 0, seconds: 0, weeks: false };
    expect(parseDuration('P1M')).to.deep.equal({ ...none, months: 1 });
    expect(parseDuration('P1Y6M')).to.deep.equal({ ...none, months: 18 });
    expect(parseDuration('P2W')).to.deep.equal({ ...none, days: 14, weeks: true });
    expect(parseDuration('P1W1D')).to.deep.equal({ ...none, days: 8 });
    expect(parseDuration('P14D')).to.deep.equal({ ...none, days: 14 });
    expect(parseDuration('PT5H30M15S')).to.deep.equal({ ...none, seconds: 19_815 });
    expect(parseDuration('P1Y2M3DT4H')).to.deep.equal({ ...none, months: 14, days: 3, seconds: 14_400 });
  });

  it('are more than nothing, whole, in order, and at most 999 years', () => {
    const texts = [
      '',
      'P',
      'PT',
      'P0D',
      'PT0S',
      'P1',
      '1D',
      'P1DT',
      'P1D2M',
      'PT1D',
      'p1d',
      'P-1D',
      '-P1D',
      'P1.5D',
    ];
    for (const text of [...texts, 'P1000Y', 'P11989M', 'P364636D', 'PT1234567H', ' P1D', 'P1D\n'])
      expect(parseDuration(text), text).to.equal(undefined);
    for (const text of ['P999Y', 'P11988M', 'P364635D', 'PT999999H'])
      expect(parseDuration(text), text).to.be.an('object');
  });

  it('are of one kind or of several', () => {
    const kinds = ['P1Y6M', 'P1W1D', 'PT1H30M', 'P1M1D', 'P1DT1H'].map((text) =>
      isOfOneKind(parseDuration(text)!),
    );
    expect(kinds).to.deep.equal([true, true, true, false, false]);
  });
});
