import { expect } from 'chai';
import { EVALUATION_EVENTS_MAX } from '#domain/limits.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import {
  DEVIATIONS,
  aggregationVectors,
  evaluationOf,
  expectAnswer,
  type AnsweredRow,
} from '#test/vectors/aggregation.ts';

interface Evaluated {
  readonly from: string;
  readonly to: string;
  readonly window: string;
  readonly timezone: string;
  readonly rows: readonly AnsweredRow[];
  readonly events: {
    readonly counted: number;
    readonly refused: readonly { readonly index: number; readonly reason: string }[];
  };
}
interface Problem {
  readonly code: string;
  readonly violations: readonly { readonly pointer: string; readonly code: string }[];
}

const post = ({ call }: TestApi, body: unknown): Promise<ApiAnswer> =>
  call({ method: 'POST', path: '/v1/usage/evaluate', body });

async function evaluated(on: TestApi, body: unknown): Promise<Evaluated> {
  const answer = await post(on, body);
  expect(answer.status, answer.text.slice(0, 500)).to.equal(200);
  return answer.body as Evaluated;
}

const MARCH = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };

describe('POST /v1/usage/evaluate', () => {
  it("answers other systems' cases as they assert them, but for the deviations that are listed", () =>
    withApi(async (on) => {
      for (const vector of aggregationVectors) {
        const { rows } = await evaluated(on, evaluationOf(vector));
        expectAnswer(vector, rows);
      }
      expect(Object.keys(DEVIATIONS)).to.have.length.below(aggregationVectors.length / 10);
    }));

  it('takes a meter and events as they are saved and sent, and null for what is left out', () =>
    withApi(async (on) => {
      const answer = await evaluated(on, {
        meter: {
          name: 'Tokens',
          eventType: 'llm.request',
          aggregation: 'sum',
          value: 'tokens',
          filter: null,
        },
        events: [
          {
            specversion: '1.0',
            id: 'e-1',
            source: 'urn:svc:chat',
            type: 'llm.request',
            subject: 'acme',
            time: '2026-03-01T00:00:00Z',
            storedAt: null,
            traceparent: '00-1',
            data: { tokens: 1200, model: 'm1' },
          },
        ],
        query: { ...MARCH, window: null, timezone: 'europe/berlin', groupBy: ['subject'], filter: null },
      });
      expect(answer).to.deep.equal({
        ...MARCH,
        window: 'none',
        timezone: 'Europe/Berlin',
        rows: [{ ...MARCH, subject: 'acme', value: '1200' }],
        events: { counted: 1, duplicates: 0, conflicts: 0, unmatched: 0, notStored: 0, refused: [] },
      });
    }));

  it('loses no digit of a number and says which event is refused and why', () =>
    withApi(async (on) => {
      const times = '"time":"2026-03-01T00:00:00Z"';
      const answer = await on.call({
        method: 'POST',
        path: '/v1/usage/evaluate',
        headers: { 'content-type': 'application/json' },
        body: `{"meter":{"aggregation":"sum","value":"n"},"query":{"from":"${MARCH.from}","to":"${MARCH.to}"},
          "events":[{${times},"data":{"n":9007199254740993}},{${times},"data":{"n":0.123456789012345678}},
                    {${times},"data":{"n":1e999999}},{${times},"data":{"n":"x"}},{${times}},{"time":"now","data":{"n":1}}]}`,
      });
      const { rows, events } = answer.body as Evaluated;
      expect(rows[0]!.value).to.equal('9007199254740993.123456789012345678');
      expect(events.refused.map(({ index, reason }) => [index, reason])).to.deep.equal([
        [2, 'value_out_of_range'],
        [3, 'value_not_a_number'],
        [4, 'value_missing'],
        [5, 'attribute_invalid'],
      ]);
    }));

  it('refuses a question with every violation of its shape, or of its sense', () =>
    withApi(async (on) => {
      const violations = async (body: unknown): Promise<string[]> => {
        const answer = await post(on, body);
        expect(answer.status).to.equal(400);
        return (answer.body as Problem).violations.map(({ pointer }) => pointer);
      };
      expect(
        await violations({
          meter: { aggregation: 'most' },
          events: [{ storedAt: 'soon' }],
          query: { from: 1, window: 'week', colour: 'red' },
        }),
      ).to.include.members([
        '/meter/aggregation',
        '/events/0/storedAt',
        '/query/from',
        '/query/to',
        '/query/window',
        '/query/colour',
      ]);
      expect(
        await violations({
          meter: { aggregation: 'sum', dimensions: { model: 'model' } },
          events: [],
          query: { ...MARCH, to: MARCH.from, groupBy: ['color'], timezone: 'Mars/Olympus' },
        }),
      ).to.have.members(['/meter/value', '/query/to', '/query/timezone', '/query/groupBy/0']);
    }));

  it('refuses more events or rows than its bounds', () =>
    withApi(async (on) => {
      const meter = { aggregation: 'count' };
      const events = Array.from({ length: EVALUATION_EVENTS_MAX + 1 }, () => ({ time: MARCH.from }));
      expect((await post(on, { meter, events, query: MARCH })).status).to.equal(400);
      const { rows } = await evaluated(on, { meter, events: events.slice(1), query: MARCH });
      expect(rows[0]!.value).to.equal(String(EVALUATION_EVENTS_MAX));
      const tooMany = await post(on, { meter, events: [], query: { ...MARCH, window: 'minute' } });
      expect(tooMany.status).to.equal(400);
      expect((tooMany.body as Problem).violations[0]).to.include({
        pointer: '/query/window',
        code: 'too_many_rows',
      });
    }));
});
