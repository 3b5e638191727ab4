import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import { STREAMS_MAX } from '#api/http/slow-reader.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { storeWatermark } from '#infra/usage/watermark.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { delivery, NOON, SOURCE, type Said } from '#test/infra/usage/usage-fixture.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';

interface Row {
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly group?: Readonly<Record<string, string>>;
  readonly value: string | null;
}
interface Usage {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
  readonly asOf: string | null;
  readonly completeThrough: string | null;
  readonly timezone: string;
}
interface Problem {
  readonly code: string;
  readonly violations: readonly { readonly pointer: string; readonly code: string }[];
}

const DIMENSIONS = { model: 'm', region: 'r' };
const METERS: Readonly<Record<string, MeterDefinition>> = {
  count: { name: 'Count', eventType: 'use', aggregation: 'count', dimensions: DIMENSIONS },
  sum: { name: 'Sum', eventType: 'use', aggregation: 'sum', value: 'v', dimensions: DIMENSIONS },
  average: { name: 'Average', eventType: 'use', aggregation: 'average', value: 'v', dimensions: DIMENSIONS },
  latest: { name: 'Latest', eventType: 'use', aggregation: 'latest', value: 'v', dimensions: DIMENSIONS },
  unique: { name: 'Unique', eventType: 'use', aggregation: 'unique', value: 'u', dimensions: DIMENSIONS },
  level: {
    name: 'Level',
    eventType: 'use',
    aggregation: 'timeWeightedSum',
    value: 'v',
    dimensions: DIMENSIONS,
  },
};

const EVENTS: readonly Said[] = [
  { time: '2026-03-07T22:30:00Z', data: { v: '1.5', u: 'x', m: 'm1', r: 'eu' } },
  { time: '2026-03-08T03:10:00Z', data: { v: '-0.5', u: 'y', m: 'm1' } },
  { time: '2026-03-08T18:45:30Z', subject: 'zeta', data: { v: '10', u: 'x', m: 'm2', r: 'us' } },
  { time: '2026-03-09T05:29:59.999999Z', data: { v: '4', u: 'z', m: '=1+1', r: 'a "b", c' } },
  { time: '2026-03-09T18:30:00Z', subject: 'zeta', data: { v: '7', u: 'z', m: 'm1', r: 'eu' } },
  { time: '2026-03-10T00:00:00Z', data: { v: '100', u: 'x', m: 'm2', r: 'eu' } },
].map((said, i) => ({ id: `e-${i}`, ...said }));

const RANGE = 'from=2026-03-07T12:00:00Z&to=2026-03-10T12:00:00Z';

/** The meters are saved and the events committed. */
async function prepare({ stores, call }: TestApi, events: readonly Said[] = EVENTS): Promise<void> {
  for (const [key, body] of Object.entries(METERS))
    expect((await call({ method: 'PUT', path: `/v1/meters/${key}`, body })).status).to.be.below(300);
  const { database } = stores;
  const context = {
    database,
    catalogues: createCatalogues(database),
    feed: 'test',
    slot: 0,
    clock: () => NOON,
  };
  await commitDeliveries(context, events.map(delivery));
}

const getUsage = (
  { call }: TestApi,
  query: string,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> => call({ path: `/v1/usage?${query}`, headers });

async function usage(on: TestApi, query: string): Promise<Usage> {
  const answer = await getUsage(on, query);
  expect(answer.status, answer.text.slice(0, 500)).to.equal(200);
  return answer.body as Usage;
}

const values = ({ rows }: Usage): (string | null)[] => rows.map(({ value }) => value);

async function problem(on: TestApi, query: string, headers?: Record<string, string>): Promise<string> {
  const { status, body } = await getUsage(on, query, headers);
  const { code, violations } = body as Problem;
  return [status, code, ...violations.map((each) => `${each.pointer} ${each.code}`)].join(', ');
}

describe('GET /v1/usage', () => {
  it('answers what the calculator makes of the same events, whatever is asked', () =>
    withApi(async (on) => {
      await prepare(on);
      const events = EVENTS.map(({ id, subject = 'acme', time, data }) => ({
        id,
        source: SOURCE,
        type: 'use',
        subject,
        time,
        data,
      }));
      for (const meter of Object.keys(METERS))
        for (const window of ['hour', 'day', 'month', 'none'])
          for (const timezone of ['UTC', 'Asia/Kolkata', 'America/Los_Angeles'])
            for (const groupBy of [[], ['model'], ['subject', 'region', 'model']]) {
              const filter = window === 'day' ? { model: ['m1', 'm2'] } : {};
              const asked = new URLSearchParams([
                ...['acme', 'zeta'].map((subject): [string, string] => ['subject', subject]),
                ...groupBy.map((name): [string, string] => ['groupBy', name]),
                ...(filter.model ?? []).map((value): [string, string] => ['filter[model]', value]),
                ['meter', meter],
                ['window', window],
                ['timezone', timezone],
              ]);
              const stored = await usage(on, `${asked.toString()}&${RANGE}`);
              const evaluated = await on.call({
                method: 'POST',
                path: '/v1/usage/evaluate',
                body: {
                  meter: METERS[meter],
                  events,
                  query: {
                    from: '2026-03-07T12:00:00Z',
                    to: '2026-03-10T12:00:00Z',
                    window,
                    timezone,
                    groupBy,
                    filter,
                  },
                },
              });
              expect(stored.rows, asked.toString()).to.deep.equal((evaluated.body as Usage).rows);
            }
    }));

  it('gives pages that go on where the one before ended, in the middle of a window too', () =>
    withApi(async (on) => {
      await prepare(on);
      const query = `meter=sum&subject=acme&subject=zeta&window=day&groupBy=model&groupBy=subject&${RANGE}`;
      const whole = await usage(on, query);
      expect(whole.nextCursor).to.equal(null);
      expect(whole.rows).to.have.length(6);
      for (const limit of [1, 2, 4]) {
        const rows: Row[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const page: Usage = await usage(on, `${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
          expect(page.rows).to.have.length.within(1, limit);
          rows.push(...page.rows);
          cursor = page.nextCursor;
        }
        expect(rows).to.deep.equal(whole.rows);
      }
    }));

  it('says how current it is once a pipeline has reported', () =>
    withApi(async (on) => {
      await prepare(on);
      const query = `meter=sum&subject=acme&timezone=europe/berlin&${RANGE}`;
      expect(await usage(on, query)).to.include({
        asOf: null,
        completeThrough: null,
        timezone: 'Europe/Berlin',
      });
      const { database } = on.stores;
      await storeWatermark(
        { database, topic: { oldestUnacknowledged: async () => ({ at: NOON, oldest: NOON }) } },
        { feed: 'test', worker: 'w', namespace: 'default', latenessMicros: 3_600_000_000 },
      );
      expect(await usage(on, query)).to.include({
        asOf: '2026-03-10T12:00:00Z',
        completeThrough: '2026-03-10T11:00:00Z',
      });
      const csv = await getUsage(on, query, { accept: 'text/csv' });
      expect(csv.headers.get('millrace-as-of')).to.equal('2026-03-10T12:00:00Z');
      expect(csv.headers.get('millrace-complete-through')).to.equal('2026-03-10T11:00:00Z');
    }));

  it('refuses what it cannot answer and names the parameter', () =>
    withApi(async (on) => {
      await prepare(on);
      const ask = (query: string): Promise<string> => problem(on, query);
      const good = `meter=sum&subject=acme&${RANGE}`;
      expect(await ask(`meter=sum&${RANGE}`)).to.equal('400, invalid_request, query:customer custom');
      expect(await ask(`${good}&customer=c`)).to.equal('400, invalid_request, query:customer custom');
      expect(await ask(`${good}&colour=red`)).to.equal('400, invalid_request, query:colour unknown_field');
      const many = Array.from({ length: 101 }, (_, i) => `subject=s${i}`).join('&');
      expect(await ask(`meter=sum&${RANGE}&${many}`)).to.match(/^400, invalid_request, query:subject/);
      expect(await ask(good.replace('sum', 'nothing'))).to.equal('404, meter_not_found');
      expect(await ask(`meter=sum&customer=nobody&${RANGE}`)).to.equal('404, customer_not_found');
      expect(await ask(`${good}&timezone=Mars/Olympus`)).to.equal(
        '400, invalid_query, query:timezone unknown_time_zone',
      );
      expect(await ask(`${good}&groupBy=colour`)).to.equal(
        '400, invalid_query, query:groupBy unknown_dimension',
      );
      expect(await ask(`${good}&filter[colour]=red`)).to.equal(
        '400, invalid_query, query:groupBy unknown_dimension',
      );
      expect(await ask('meter=sum&subject=a&from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z')).to.equal(
        '400, invalid_query, query:to range_empty',
      );
      expect(await ask(`${good}&cursor=bm9uZQ`)).to.equal('400, invalid_cursor');
      const elsewhere = Buffer.from('[0,"",""]').toString('base64url');
      expect(await ask(`${good}&cursor=${elsewhere}`)).to.equal('400, invalid_cursor');
      const centuries = 'meter=sum&subject=a&window=minute&from=1900-01-01T00:00:00Z&to=2200-01-01T00:00:00Z';
      expect(await ask(`${centuries}&groupBy=model`)).to.equal(
        '400, invalid_query, query:window too_many_rows',
      );
      expect(await problem(on, good, { accept: 'application/pdf' })).to.equal('406, not_acceptable');
    }));
});

describe('GET /v1/usage of a customer', () => {
  const make = async ({ call }: TestApi, path: string, body: unknown, method = 'PUT'): Promise<void> => {
    const answer = await call({ method, path, body });
    expect(answer.status, answer.text).to.be.below(300);
  };

  it('is that of its subjects while they belonged to it, at the time of the events', () =>
    withApi(async (on) => {
      await prepare(on);
      await make(on, '/v1/customers/one', { name: 'One', subjects: ['acme'] });
      await make(on, '/v1/customers/two', { name: 'Two', subjects: ['zeta'] });
      await make(on, '/v1/customers/none', { name: 'None', subjects: [] });
      const of = async (customer: string, meter: string): Promise<(string | null)[]> =>
        values(await usage(on, `meter=${meter}&customer=${customer}&${RANGE}`));
      expect(await of('one', 'sum')).to.deep.equal(['105']);
      await make(on, '/v1/subjects/acme/move', { to: 'two', from: '2026-03-09T05:29:00Z' }, 'POST');
      await make(on, '/v1/subjects/acme/move', { to: 'one', from: '2026-03-10T00:00:00Z' }, 'POST');
      expect(await of('one', 'sum')).to.deep.equal(['101']);
      expect(await of('two', 'sum')).to.deep.equal(['21']);
      // Both named x and one of them z: a union of each customer's own time.
      expect(await of('one', 'unique')).to.deep.equal(['2']);
      expect(await of('two', 'unique')).to.deep.equal(['2']);
      expect(await of('two', 'latest')).to.deep.equal(['7']);
      expect(await of('none', 'sum')).to.deep.equal(['0']);
      const [one, two] = [Number(await of('one', 'level')), Number(await of('two', 'level'))];
      const all = values(await usage(on, `meter=level&subject=acme&subject=zeta&${RANGE}`));
      // What is held belongs to one of them at any time, and to no two.
      expect(one + two).to.be.closeTo(Number(all[0]), 1e-9);
      const grouped = await usage(on, `meter=sum&customer=two&groupBy=subject&${RANGE}`);
      expect(grouped.rows.map(({ subject, value }) => [subject, value])).to.deep.equal([
        ['acme', '4'],
        ['zeta', '17'],
      ]);
    }));
});

describe('GET /v1/usage as CSV', () => {
  const csv = { accept: 'text/csv' };

  it('has the rows of all pages, quoted where they need it, and no formula', () =>
    withApi(async (on) => {
      await prepare(on, [
        ...EVENTS,
        { id: 'f', subject: '+49', time: '2026-03-08T00:00:00Z', data: { v: '-3', u: 'x' } },
      ]);
      const query = `meter=sum&subject=acme&subject=zeta&subject=%2B49&window=day&groupBy=subject&groupBy=region&groupBy=model&${RANGE}`;
      const answer = await getUsage(on, query, csv);
      expect(answer.headers.get('content-type')).to.equal('text/csv; charset=utf-8; header=present');
      const lines = parse<Record<string, string>>(answer.text, { columns: true });
      const { rows } = await usage(on, query);
      const safe = (text: string): string => (/^[=+]/.test(text) ? `'${text}` : text);
      expect(lines).to.deep.equal(
        rows.map(({ from, to, subject, group, value }) => ({
          from,
          to,
          subject: safe(subject!),
          model: safe(group!['model']!),
          region: safe(group!['region']!),
          value,
        })),
      );
      expect(lines.map(({ model }) => model)).to.include("'=1+1");
      // A value is our own decimal: a negative one is a number, not a formula.
      expect(lines.map(({ value }) => value)).to.include('-3');
    }));

  it('has a header without rows, and nothing where there is no value', () =>
    withApi(async (on) => {
      await prepare(on);
      expect((await getUsage(on, `meter=sum&subject=nobody&groupBy=model&${RANGE}`, csv)).text).to.equal(
        'from,to,model,value\n',
      );
      expect((await getUsage(on, `meter=latest&subject=nobody&${RANGE}`, csv)).text).to.equal(
        'from,to,value\n2026-03-07T12:00:00Z,2026-03-10T12:00:00Z,\n',
      );
    }));

  it('is refused as a problem when the question is wrong', () =>
    withApi(async (on) => {
      await prepare(on);
      expect(await problem(on, `meter=nothing&subject=a&${RANGE}`, csv)).to.equal('404, meter_not_found');
      expect(await problem(on, `meter=sum&subject=a&groupBy=x&${RANGE}`, csv)).to.equal(
        '400, invalid_query, query:groupBy unknown_dimension',
      );
    }));

  it('is refused while too many are being read, and readers that leave in the middle make room', () =>
    withApi(async (on) => {
      await prepare(on);
      const long = 'meter=sum&subject=acme&window=minute&from=2025-01-01T00:00:00Z&to=2026-06-01T00:00:00Z';
      const short = `meter=sum&subject=acme&${RANGE}`;
      const many = <Result>(start: () => Promise<Result>): Promise<Result[]> =>
        Promise.all(Array.from({ length: STREAMS_MAX }, start));
      const leaving = new AbortController();
      const headers = { ...csv, authorization: `Bearer ${on.key}` };
      await many(() => fetch(`${on.api.url}/v1/usage?${long}`, { headers, signal: leaving.signal }));
      const refused = await getUsage(on, short, csv);
      expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([503, '5']);
      // Questions in JSON still find a snapshot.
      expect((await getUsage(on, short)).status).to.equal(200);
      leaving.abort();
      await eventually('every place is free again', async () => {
        const answers = await many(() => getUsage(on, short, csv));
        return answers.every(({ status }) => status === 200);
      });
    }));
});
