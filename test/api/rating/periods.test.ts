import { expect } from 'chai';
import { EVALUATED_PERIODS_MAX } from '#domain/limits.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { cyclesOf, expectProration, periodsBodyOf, prorationVectors } from '#test/vectors/proration.ts';

interface Evaluated {
  readonly periods: readonly {
    readonly from: string;
    readonly to: string;
    readonly fraction: string;
    readonly stub: string | null;
  }[];
}

const post = ({ call }: TestApi, body: unknown): Promise<ApiAnswer> =>
  call({ method: 'POST', path: '/v1/periods/evaluate', body });

async function evaluated(on: TestApi, body: unknown): Promise<Evaluated> {
  const answer = await post(on, body);
  expect(answer.status, answer.text.slice(0, 500)).to.equal(200);
  return answer.body as Evaluated;
}

const YEAR = { cadence: 'P1M', start: '2026-01-01T00:00:00Z', until: '2026-12-31T00:00:00Z' };

describe('POST /v1/periods/evaluate', () => {
  it("answers other systems' cases as they assert them", () =>
    withApi(async (on) => {
      for (const vector of prorationVectors) {
        if (!('billing_day' in vector.input)) continue;
        const { periods } = await evaluated(on, periodsBodyOf(vector.input));
        expectProration(vector, cyclesOf(periods));
      }
    }));

  it('answers periods with their fraction, in whole numbers too, and what they are a part of', () =>
    withApi(async (on) => {
      const answer = await evaluated(on, {
        anchor: { day: 31 },
        cadence: 'P1M',
        start: '2026-02-10T12:00:30+01:00',
        end: '2026-03-20T00:00:00+01:00',
        timezone: 'Europe/Berlin',
        until: '2026-12-31T00:00:00Z',
        proration: 'day',
        scale: 4,
      });
      const february = { from: '2026-01-30T23:00:00Z', to: '2026-02-27T23:00:00Z' };
      const march = { from: '2026-02-27T23:00:00Z', to: '2026-03-30T22:00:00Z' };
      expect(answer).to.deep.equal({
        periods: [
          {
            from: '2026-02-10T11:00:00Z',
            to: '2026-02-27T23:00:00Z',
            fraction: '0.6429',
            share: { part: 18, whole: 28, unit: 'day' },
            of: february,
            stub: 'leading',
          },
          {
            from: '2026-02-27T23:00:00Z',
            to: '2026-03-19T23:00:00Z',
            fraction: '0.6452',
            share: { part: 20, whole: 31, unit: 'day' },
            of: march,
            stub: 'trailing',
          },
        ],
      });
    }));

  it('counts from the start, in UTC and exactly, when nothing else is said, and takes null for that', () =>
    withApi(async (on) => {
      const open = { anchor: null, end: null, timezone: null, proration: null, scale: null };
      const answers = [await evaluated(on, YEAR), await evaluated(on, { ...YEAR, ...open })];
      for (const { periods } of answers) {
        expect(periods).to.have.length(12);
        expect(new Set(periods.map(({ fraction }) => fraction))).to.deep.equal(new Set(['1']));
      }
    }));

  it('takes every kind of anchor', () =>
    withApi(async (on) => {
      const firsts = async (anchor: unknown, cadence: string): Promise<string | undefined> => {
        const start = '2026-04-08T10:00:00Z';
        const { periods } = await evaluated(on, { anchor, cadence, start, until: start });
        return periods[0]?.to;
      };
      expect(await firsts('start', 'P1M')).to.equal('2026-05-08T10:00:00Z');
      expect(await firsts('calendar', 'P3M')).to.equal('2026-07-01T00:00:00Z');
      expect(await firsts('2020-01-20T07:00:00Z', 'P1M')).to.equal('2026-04-20T07:00:00Z');
      expect(await firsts({ day: 31 }, 'P1M')).to.equal('2026-04-30T00:00:00Z');
      expect(await firsts({ day: 29, month: 2 }, 'P1Y')).to.equal('2027-02-28T00:00:00Z');
      expect(await firsts({ weekday: 5 }, 'P2W')).to.equal('2026-04-10T00:00:00Z');
    }));

  it('names everything that is wrong at once', () =>
    withApi(async (on) => {
      const refused = async (body: object): Promise<string[]> => {
        const answer = await post(on, { ...YEAR, ...body });
        const { violations } = answer.body as { violations: { pointer: string; code: string }[] };
        expect(answer.status).to.equal(400);
        return violations.map(({ pointer, code }) => `${pointer} ${code}`);
      };
      expect(
        await refused({
          cadence: 'P5M',
          anchor: 'calendar',
          end: '2025-01-01T00:00:00Z',
          timezone: 'Mars/Olympus',
          proration: { basis: 'exact', lastDay: 'included' },
        }),
      ).to.deep.equal([
        '/anchor anchor_required',
        '/timezone unknown_time_zone',
        '/end end_before_start',
        '/proration/lastDay option_not_used',
      ]);
      expect(await refused({ cadence: 'PT1S' })).to.deep.equal(['/cadence invalid_duration']);
      expect(await refused({ cadence: 'PT1M' })).to.deep.equal(['/until too_many_periods']);
      expect(await refused({ cadence: 'P999Y' })).to.deep.equal(['/cadence out_of_range']);
    }));

  it('answers as many periods as the limit says', () =>
    withApi(async (on) => {
      const until = new Date(Date.parse(YEAR.start) + (EVALUATED_PERIODS_MAX - 1) * 60_000).toISOString();
      const { periods } = await evaluated(on, { ...YEAR, cadence: 'PT1M', until });
      expect(periods).to.have.length(EVALUATED_PERIODS_MAX);
    }));
});
