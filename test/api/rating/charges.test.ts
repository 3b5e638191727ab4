import { expect } from 'chai';
import type { WorkingStage } from '#domain/pricing/working.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { callEvent, startRunning } from '#test/api/events/running-api.ts';
import { expectRecomputable } from '#test/domain/invoicing/recompute.ts';
import { delivery, instant, type Said } from '#test/infra/usage/usage-fixture.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';

interface Line {
  readonly id: string;
  readonly kind: string;
  readonly charge: string;
  readonly period: { readonly from: string; readonly to: string };
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  readonly amount: string;
  readonly working: readonly WorkingStage[];
}
interface Evaluated {
  readonly customer: string;
  readonly currency: string;
  readonly timezone: string;
  readonly asOf: string | null;
  readonly completeThrough: string | null;
  readonly dirty: boolean;
  readonly lines: readonly Line[];
  readonly totals: Readonly<Record<string, string>>;
}
interface Problem {
  readonly code: string;
  readonly violations?: readonly { readonly pointer: string; readonly code: string }[];
}

const evaluate = ({ call }: TestApi, customer: string, body: object, key?: string): Promise<ApiAnswer> =>
  call({
    method: 'POST',
    path: `/v1/customers/${customer}/charges/evaluate`,
    body,
    ...(key === undefined ? {} : { key }),
  });

async function evaluated(on: TestApi, customer: string, body: object): Promise<Evaluated> {
  const answer = await evaluate(on, customer, body);
  expect(answer.status, answer.text.slice(0, 1_000)).to.equal(200);
  const bill = answer.body as Evaluated;
  for (const line of bill.lines) expectRecomputable(line, 2);
  return bill;
}

async function refusal(on: TestApi, customer: string, body: object): Promise<string[]> {
  const { status, body: problem } = await evaluate(on, customer, body);
  const { code, violations = [] } = problem as Problem;
  return [`${status} ${code}`, ...violations.map((each) => `${each.pointer} ${each.code}`)];
}

async function make({ call }: TestApi, method: string, path: string, body: object): Promise<void> {
  const { status, text } = await call({ method, path, body });
  expect(status, `${path}: ${text}`).to.be.within(200, 299);
}

const amounts = ({ lines }: Evaluated): string[] =>
  lines.map(({ id, kind, amount }) => `${id} ${kind} ${amount}`);

const DIMENSIONS = { model: 'm' };
const METERS: Readonly<Record<string, MeterDefinition>> = {
  calls: { name: 'Calls', eventType: 'use', aggregation: 'count', dimensions: DIMENSIONS },
  paid: {
    name: 'Paid',
    eventType: 'use',
    aggregation: 'sum',
    value: 'v',
    dimensions: DIMENSIONS,
    filter: "data.m != 'free'",
  },
  users: { name: 'Users', eventType: 'use', aggregation: 'unique', value: 'v' },
};

/** March in Berlin, whose clocks go forward on the 29th; the 30th begins at 22:00 UTC. */
const EVENTS: readonly Said[] = [
  { subject: 'zeta', time: '2026-03-05T10:00:00Z', data: { v: '40', m: 'm2' } },
  { time: '2026-03-02T10:00:00Z', data: { v: '100', m: 'm1' } },
  { time: '2026-03-02T10:00:00Z', data: { v: '3.5', m: 'free' } },
  { time: '2026-03-29T21:59:59.999999Z', data: { v: '10', m: 'm1' } },
  { time: '2026-03-29T22:00:00Z', data: { v: '20', m: 'm2' } },
  { subject: 'zeta', time: '2026-03-20T00:00:00Z', data: { v: '1000', m: 'm1' } },
  { time: '2026-03-31T22:00:00Z', data: { v: '5000', m: 'm1' } },
].map((said, at) => ({ id: `e-${at}`, publishTime: instant('2026-04-01T00:00:00Z'), ...said }));

const MARCH = { from: '2026-02-28T23:00:00Z', to: '2026-03-31T22:00:00Z' };

/** The customer `one` has acme, and zeta until the 20th. */
async function prepare(on: TestApi): Promise<void> {
  for (const [key, meter] of Object.entries(METERS)) await make(on, 'PUT', `/v1/meters/${key}`, meter);
  const terms = { currency: 'EUR', timezone: 'Europe/Berlin' };
  await make(on, 'PUT', '/v1/customers/one', { name: 'One', subjects: ['acme', 'zeta'], ...terms });
  await make(on, 'PUT', '/v1/customers/two', { name: 'Two', subjects: [] });
  await make(on, 'POST', '/v1/subjects/zeta/move', { to: 'two', from: '2026-03-20T00:00:00Z' });
  const { database } = on.stores;
  const catalogues = createCatalogues(database);
  const clock = (): number => instant('2026-04-01T00:00:00Z');
  const context = { database, catalogues, feed: 'test', slot: 0, clock };
  const committed = await commitDeliveries(context, EVENTS.map(delivery));
  await appendEventRows(on.stores, eventRowsOf(committed));
}

describe('POST /v1/customers/{key}/charges/evaluate', () => {
  it('rates what a customer really used, by quantity, group and event, while the subjects were its own', () =>
    withApi(async (on) => {
      await prepare(on);
      const charges = [
        { key: 'calls', meter: 'calls', price: { model: 'package', size: 2, price: '1.50' } },
        {
          key: 'models',
          meter: 'paid',
          price: {
            model: 'matrix',
            dimensions: ['model'],
            cells: [{ match: { model: 'm1' }, unitPrice: '0.125' }],
            defaultUnitPrice: '0.1',
          },
        },
        {
          key: 'fees',
          meter: 'paid',
          price: { model: 'percentage', percent: '2', feePerEvent: '0.30', freeEvents: '1' },
        },
        { key: 'per-model', meter: 'calls', tiersOver: 'line', price: { model: 'perUnit', unitPrice: 1 } },
        { key: 'own', meter: 'paid', price: { model: 'dynamic', multiplier: '1.1' } },
        { key: 'support', price: { model: 'flat', amount: '20' } },
      ];
      const bill = await evaluated(on, 'one', { charges, ...MARCH });
      expect(amounts(bill)).to.deep.equal([
        // 5 calls are 3 packages of 2.
        'calls/1 usage 4.5',
        // 110 of m1, 60 of m2; what is free is not of the meter.
        'models/1 usage 13.75',
        'models/2 usage 6',
        // The event of 100 comes first and is free; 40, 10 and 20 pay 2 % and 0.30 each.
        'fees/1 usage 2.3',
        'per-model/1 usage 1',
        'per-model/2 usage 2',
        'per-model/3 usage 2',
        'own/1 usage 187',
        'support/1 fixed 20',
      ]);
      expect(bill.totals).to.deep.equal({
        charges: '238.55',
        discounts: '0',
        net: '238.55',
        tax: '0',
        total: '238.55',
      });
      expect(bill).to.include({ customer: 'one', currency: 'EUR', timezone: 'Europe/Berlin', dirty: false });
      const moved = await evaluated(on, 'two', {
        charges: [
          { key: 'fees', meter: 'paid', price: { model: 'percentage', percent: '1', feePerEvent: '0.30' } },
        ],
        ...MARCH,
        currency: 'USD',
      });
      expect(amounts(moved)).to.deep.equal(['fees/1 usage 10.3']);
    }));

  it('gives each price by date the usage of its own days, over a change of the clocks', () =>
    withApi(async (on) => {
      await prepare(on);
      const price = (unitPrice: string) => ({ model: 'perUnit', unitPrice });
      const charge = { key: 'paid', meter: 'paid', price: price('1') };
      const charges = [{ ...charge, rates: [{ from: '2026-03-30', price: price('2') }] }];
      const { lines } = await evaluated(on, 'one', { charges, ...MARCH });
      expect(
        lines.map(({ period, quantity, amount }) => [period.from, period.to, quantity, amount]),
      ).to.deep.equal([
        [MARCH.from, '2026-03-29T22:00:00Z', '150', '150'],
        ['2026-03-29T22:00:00Z', MARCH.to, '20', '40'],
      ]);
      const inUtc = await evaluated(on, 'one', { charges, ...MARCH, timezone: 'UTC' });
      expect(inUtc.lines.map(({ quantity }) => quantity)).to.deep.equal(['170', '0']);
    }));

  it('names all that is wrong, and tells nothing of customers of another namespace', () =>
    withApi(async (on) => {
      await prepare(on);
      const price = { model: 'perUnit', unitPrice: '1' };
      const one = (charges: readonly object[], more: object = {}): Promise<string[]> =>
        refusal(on, 'one', { charges, ...MARCH, ...more });
      expect(
        await one([
          { key: 'a', meter: 'nothing', price },
          { key: 'b', meter: 'calls', price: { model: 'matrix', dimensions: ['model', 'size'], cells: [] } },
          { key: 'c', meter: 'users', price: { model: 'percentage', percent: '1', feePerEvent: '1' } },
        ]),
      ).to.deep.equal([
        '400 invalid_query',
        '/charges/0/meter unknown_meter',
        '/charges/1/price/dimensions/1 unknown_dimension',
        '/charges/2/price events_without_value',
      ]);
      const tiers = [
        { upTo: '10', unitPrice: 'ten' },
        { upTo: '5', unitPrice: '1' },
      ];
      expect(
        await one([{ key: 'a', price: { model: 'graduated', tiers }, minimum: 2, maximum: 1e-7 }], {
          currency: 'XYZ',
          timezone: 'Nowhere/Land',
          to: MARCH.from,
        }),
      ).to.include.members([
        '/currency unknown_currency',
        '/timezone unknown_time_zone',
        '/to range_empty',
        '/charges/0/price/tiers/0/unitPrice not_a_decimal',
        '/charges/0/minimum minimum_over_maximum',
      ]);
      const charges = [{ key: 'a', meter: 'calls', price }];
      expect(await refusal(on, 'two', { charges, ...MARCH })).to.deep.equal([
        '400 invalid_query',
        '/currency currency_needed',
      ]);
      const other = await on.makeKey({ namespace: 'other' });
      const hidden = await evaluate(on, 'one', { charges, ...MARCH }, other);
      const missing = await evaluate(on, 'nobody', { charges, ...MARCH }, other);
      expect([hidden.status, missing.status]).to.deep.equal([404, 404]);
      expect((hidden.body as Problem).code).to.equal('customer_not_found');
      const reader = await on.makeKey({ scopes: ['usage:read'] });
      expect((await evaluate(on, 'one', { charges, ...MARCH }, reader)).status).to.equal(403);
    }));

  it('bills what came through a pipeline, as a count by hand does', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', {
        name: 'Tokens',
        eventType: 'llm.request',
        aggregation: 'sum',
        value: 'tokens',
        dimensions: { model: 'model' },
      });
      await make(on, 'PUT', '/v1/customers/acme', { name: 'Acme', subjects: ['acme'], currency: 'USD' });
      const used = Array.from({ length: 40 }, (_, at) => ({ tokens: at * 25, model: `m${at % 3}` }));
      await running.send(used.map((data, at) => callEvent(`e-${at}`, data)));
      await running.settled();
      const tiers = [
        { upTo: 10_000, unitPrice: '0.01' },
        { upTo: null, unitPrice: '0.005' },
      ];
      const [from, to] = [-2, 2].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
      const question = {
        charges: [
          {
            key: 'tokens',
            meter: 'tokens',
            price: { model: 'graduated', tiers },
            discount: { percent: '10' },
          },
          {
            key: 'each',
            meter: 'tokens',
            price: { model: 'percentage', percent: '1', minimumPerEvent: '5' },
          },
        ],
        from,
        to,
      };
      const bill = await evaluated(on, 'acme', question);
      // 40 events of 0 to 975 are 19,500 tokens: 100 + 47.50. One percent of each, but 5 at least where that is less: up to 500.
      const total = used.reduce((sum, { tokens }) => sum + tokens, 0);
      const each = used.reduce((sum, { tokens }) => sum + Math.max(tokens, 500), 0) / 100;
      expect(total).to.equal(19_500);
      expect(amounts(bill)).to.deep.equal([
        'tokens/1 usage 147.5',
        'tokens/2 discount -14.75',
        `each/1 usage ${each}`,
      ]);
      await eventually('the pipeline has said how far it is', async () => {
        const { asOf, completeThrough, lines } = await evaluated(on, 'acme', question);
        expect(lines).to.deep.equal(bill.lines);
        return asOf !== null && completeThrough !== null && completeThrough < asOf;
      });
    }));
});
