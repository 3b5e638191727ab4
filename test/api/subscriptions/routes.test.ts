import { expect } from 'chai';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';

const at = (text: string): Instant => parseRfc3339(text)?.at ?? NaN;

const SEATS = { key: 'seats', timing: 'inAdvance', seats: '1', price: { model: 'perUnit', unitPrice: '10' } };
const BASE = { key: 'base', timing: 'inAdvance', price: { model: 'flat', amount: '28' } };
const phase = (charges: readonly object[]) => [{ key: 'standard', charges }];

interface Changed {
  readonly subscription: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly effects: readonly { readonly at: string; readonly kind: string; readonly dropped?: boolean }[];
  readonly invoices: readonly {
    readonly date: string;
    readonly before: { readonly total: string } | null;
    readonly after: { readonly total: string } | null;
    readonly change: string;
    readonly lines: readonly { readonly kind: string; readonly amount: string }[];
  }[];
}

interface Clock {
  now: Instant;
}

/** Customer `acme` with currency USD, plans `pro` (two versions) and `max`, on 1 February 2026. */
async function withPlans(test: (on: TestApi, clock: Clock) => Promise<void>): Promise<void> {
  const clock: Clock = { now: at('2026-02-01T00:00:00Z') };
  const scheduler: Scheduler = { ...systemScheduler, now: () => clock.now };
  await withApi(
    async (on) => {
      const plan = async (key: string, versions: readonly (readonly object[])[]): Promise<void> => {
        await ok(on, 'PUT', `/v1/plans/${key}`, { name: key });
        for (const [index, charges] of versions.entries()) {
          const body = { currencies: ['USD'], family: 'pro', phases: phase(charges) };
          await ok(on, 'POST', `/v1/plans/${key}/versions`, body);
          await ok(on, 'POST', `/v1/plans/${key}/versions/${index + 1}/publish`);
        }
      };
      await plan('pro', [[SEATS], [{ ...SEATS, price: { model: 'perUnit', unitPrice: '12' } }]]);
      await plan('max', [[SEATS, BASE]]);
      await ok(on, 'PUT', '/v1/customers/acme', { name: 'Acme', currency: 'USD' });
      await test(on, clock);
    },
    { scheduler },
  );
}

async function ok(on: TestApi, method: string, path: string, body?: object): Promise<Changed> {
  const answer = await on.call({ method, path, body });
  expect(answer.status, answer.text).to.be.within(200, 299);
  return answer.body as Changed;
}

const subscribe = (on: TestApi, body: object = {}, query = ''): Promise<Changed> =>
  ok(on, 'POST', `/v1/customers/acme/subscriptions${query}`, { plan: 'pro', version: 1, ...body });

const costs = ({ invoices }: Changed) =>
  invoices.map(({ date, before, after, change }) => [date.slice(0, 10), before?.total, after?.total, change]);

const refusal = ({ status, body }: ApiAnswer): unknown[] => {
  const { code, violations } = body as { code: string; violations: { pointer: string; code: string }[] };
  return [status, code, violations.map((each) => `${each.pointer} ${each.code}`)];
};

describe('the routes of subscriptions', () => {
  it('make one, show it and list it, and a preview makes none', () =>
    withPlans(async (on) => {
      const preview = await subscribe(on, { quantities: { seats: 5 } }, '?preview=true');
      expect(costs(preview)).to.deep.equal([['2026-02-01', undefined, '50', '50']]);
      const path = '/v1/customers/acme/subscriptions';
      expect((await on.call({ path })).body).to.deep.equal({ items: [], nextCursor: null });
      const body = { plan: 'pro', version: 1, quantities: { seats: 5 } };
      const made = await on.call({ method: 'POST', path, body });
      const { subscription, effects, invoices } = made.body as Changed;
      expect([made.status, made.headers.get('location')]).to.deep.equal([
        201,
        `/v1/subscriptions/${subscription.id}`,
      ]);
      expect(invoices).to.have.length(1);
      expect(effects).to.deep.equal([
        { at: '2026-02-01T00:00:00Z', kind: 'starts', plan: 'pro', version: 1, dropped: false },
      ]);
      expect(subscription).to.deep.include({
        customer: 'acme',
        state: 'active',
        phase: 'standard',
        plan: 'pro',
        version: 1,
        startAt: '2026-02-01T00:00:00Z',
        endAt: null,
        periodEndsAt: '2026-03-01T00:00:00Z',
        quantities: { seats: '5' },
        anchor: 'start',
      });
      expect((await on.call({ path: `/v1/subscriptions/${subscription.id}` })).body).to.deep.equal(
        subscription,
      );
      expect((await on.call({ path })).body).to.deep.equal({ items: [subscription], nextCursor: null });
      expect(refusal(await on.call({ path: '/v1/customers/nobody/subscriptions' }))).to.deep.equal([
        404,
        'customer_not_found',
        [],
      ]);
    }));

  it('tell what a change does and costs, the same in a preview as when it is done', () =>
    withPlans(async (on, clock) => {
      const { subscription } = await subscribe(on, { quantities: { seats: '4' } });
      const path = `/v1/subscriptions/${subscription.id}/change`;
      clock.now = at('2026-02-15T00:00:00Z');
      const body = { at: 'now', plan: 'max' };
      const preview = await ok(on, 'POST', `${path}?preview=true`, body);
      const done = await ok(on, 'POST', path, body);
      expect(preview).to.deep.equal(done);
      expect(done.effects.map((effect) => effect.kind).sort()).to.deep.equal(['notice', 'planChanges']);
      // February's seats come to the same in two parts. From the 15th a new fee for half of a month of 28 days; in March the whole of it.
      expect(costs(done)).to.deep.equal([
        ['2026-02-01', '40', '40', '0'],
        ['2026-02-15', undefined, '14', '14'],
        ['2026-03-01', '40', '68', '28'],
      ]);
    }));

  it('give back what was billed in advance and is no longer due, and show what cancelling costs', () =>
    withPlans(async (on, clock) => {
      const { subscription } = await subscribe(on, { quantities: { seats: '4' } });
      const path = `/v1/subscriptions/${subscription.id}`;
      clock.now = at('2026-02-15T00:00:00Z');
      const cancelled = await ok(on, 'POST', `${path}/cancel`, { at: 'now' });
      expect(cancelled.subscription).to.deep.include({ state: 'ended', endAt: '2026-02-15T00:00:00Z' });
      expect(cancelled.invoices.flatMap(({ after }) => after?.total ?? [])).to.include('20');
      expect(refusal(await on.call({ method: 'POST', path: `${path}/uncancel` }))).to.deep.equal([
        422,
        'change_not_possible',
        [' subscription_ended'],
      ]);
    }));

  it('plan changes ahead, show them in order, and undo one of them', () =>
    withPlans(async (on) => {
      const { subscription } = await subscribe(on);
      const path = `/v1/subscriptions/${subscription.id}`;
      await ok(on, 'POST', `${path}/change`, { at: 'periodEnd', quantities: { seats: '2' } });
      await ok(on, 'POST', `${path}/change`, { at: '2026-04-01T00:00:00Z', version: 2 });
      await ok(on, 'POST', `${path}/pause`, { at: '2026-06-01T00:00:00Z', until: '2026-07-01T00:00:00Z' });
      await ok(on, 'POST', `${path}/cancel`, { at: '2026-09-01T00:00:00Z' });
      const scheduled = async (): Promise<string[]> => {
        const { body } = await on.call({ path: `${path}/schedule` });
        const { items } = body as {
          items: { from: string; undoable: boolean; events: { kind: string }[] }[];
        };
        expect(items.every(({ undoable }) => undoable)).to.equal(true);
        return items.map(
          ({ from, events }) => `${from.slice(5, 10)} ${events.map(({ kind }) => kind).join()}`,
        );
      };
      expect(await scheduled()).to.deep.equal([
        '03-01 seatsChange',
        '04-01 planChanges',
        '06-01 pauses',
        '07-01 resumes',
        '09-01 ends',
      ]);
      const undone = await ok(on, 'DELETE', `${path}/schedule/${encodeURIComponent('2026-04-01T00:00:00Z')}`);
      expect(undone.effects).to.deep.equal([
        {
          at: '2026-04-01T00:00:00Z',
          kind: 'planChanges',
          from: { plan: 'pro', version: 1 },
          to: { plan: 'pro', version: 2 },
          dropped: true,
        },
      ]);
      await ok(on, 'POST', `${path}/uncancel`);
      expect(await scheduled()).to.deep.equal(['03-01 seatsChange', '06-01 pauses', '07-01 resumes']);
      const nothing = await on.call({ method: 'DELETE', path: `${path}/schedule/2026-05-01T00:00:00Z` });
      expect(refusal(nothing)).to.deep.equal([422, 'change_not_possible', [' not_planned']]);
    }));

  it('name everything that is wrong, with and without a preview, and answer a repetition as the first time', () =>
    withPlans(async (on) => {
      const { subscription } = await subscribe(on);
      const path = `/v1/subscriptions/${subscription.id}`;
      const body = { at: '2020-01-01T00:00:00Z', quantities: { none: '1' } };
      for (const query of ['', '?preview=true'])
        expect(
          refusal(await on.call({ method: 'POST', path: `${path}/change${query}`, body })),
        ).to.deep.equal([422, 'change_not_possible', ['/at too_far_back', '/at before_start']]);
      const wrong = { plan: 'pro', currency: 'EUR', addOns: { none: '1' }, endAt: '2020-01-01T00:00:00Z' };
      const refused = await on.call({
        method: 'POST',
        path: '/v1/customers/acme/subscriptions',
        body: wrong,
      });
      expect(refusal(refused)).to.deep.equal([
        400,
        'invalid_subscription',
        [
          '/endAt too_far_back',
          '/endAt end_before_start',
          '/currency currency_not_offered',
          '/addOns/none unknown_add_on',
        ],
      ]);
      const pause = {
        method: 'POST',
        path: `${path}/pause`,
        body: { at: 'now' },
        headers: { 'idempotency-key': 'k' },
      };
      const [first, second] = [await on.call(pause), await on.call(pause)];
      expect([first.status, second.body]).to.deep.equal([200, first.body]);
      expect(second.headers.get('idempotent-replayed')).to.equal('true');
    }));

  it('change metadata and threshold by merge patch', () =>
    withPlans(async (on) => {
      const { subscription } = await subscribe(on, { metadata: { a: '1', b: '2' }, spendThreshold: 50 });
      const path = `/v1/subscriptions/${subscription.id}`;
      const patch = async (body: object) => (await on.call({ method: 'PATCH', path, body })).body;
      expect(await patch({ metadata: { a: null, c: '3' } })).to.deep.include({
        metadata: { b: '2', c: '3' },
        spendThreshold: '50',
      });
      expect(await patch({ spendThreshold: null, metadata: null })).to.deep.include({
        metadata: {},
        spendThreshold: null,
      });
      expect(refusal(await on.call({ method: 'PATCH', path, body: { spendThreshold: '0' } }))).to.deep.equal([
        400,
        'invalid_subscription',
        ['/spendThreshold not_above_zero'],
      ]);
    }));

  it('move many to another version, tell the revenue, and preview it', () =>
    withPlans(async (on) => {
      const made = [await subscribe(on), await subscribe(on, { quantities: { seats: '9' } })];
      const path = '/v1/plans/pro/versions/2/migrate';
      const body = { from: 1, at: 'periodEnd' };
      const expected = {
        moved: 2,
        passedOver: 0,
        faults: [],
        recurringRevenue: [{ currency: 'USD', before: '100', after: '120', change: '20' }],
        nextCursor: null,
      };
      expect((await on.call({ method: 'POST', path: `${path}?preview=true`, body })).body).to.deep.equal(
        expected,
      );
      expect((await on.call({ method: 'POST', path, body })).body).to.deep.equal(expected);
      const { body: schedule } = await on.call({
        path: `/v1/subscriptions/${made[0]?.subscription.id}/schedule`,
      });
      expect((schedule as { items: unknown[] }).items).to.have.length(1);
      const again = (await on.call({ method: 'POST', path, body })).body;
      expect(again).to.deep.include({ moved: 0, passedOver: 2 });
    }));
});
