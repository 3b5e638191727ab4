import { expect } from 'chai';
import { PLAN_VERSION_BYTES_MAX } from '#domain/limits.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';

const TRIAL = { key: 'trial', duration: 'P14D', charges: [] };
const SEATS = { key: 'seats', timing: 'inAdvance', price: { model: 'perUnit', unitPrice: '12.50' } };
const VERSION = { currencies: ['USD'], phases: [TRIAL, { key: 'standard', charges: [SEATS] }] };
const TOKENS = { key: 'tokens', meter: 'tokens', price: { model: 'perUnit', unitPrice: '0.000002' } };

interface Version {
  readonly version: number;
  readonly state: string;
  readonly publishedAt: string | null;
}
interface Refused {
  readonly code: string;
  readonly violations: readonly { readonly pointer: string; readonly code: string }[];
}

/** A plan `pro` with so many drafts. */
async function withPlan(drafts: number, test: (on: TestApi) => Promise<void>): Promise<void> {
  await withApi(async (on) => {
    expect((await on.call({ method: 'PUT', path: '/v1/plans/pro', body: { name: 'Pro' } })).status).to.equal(
      201,
    );
    for (let count = 0; count < drafts; count++) expect((await post(on, '', VERSION)).status).to.equal(201);
    await test(on);
  });
}

const post = ({ call }: TestApi, path: string, body?: unknown) =>
  call({ method: 'POST', path: `/v1/plans/pro/versions${path}`, body });
const get = async ({ call }: TestApi, path: string): Promise<Version> =>
  (await call({ path: `/v1/plans/pro/versions/${path}` })).body as Version;
const faultsOf = (body: unknown): string[] =>
  (body as Refused).violations.map(({ pointer, code }) => `${pointer} ${code}`);

describe('the routes of plans', () => {
  it('take a plan from a draft to the market and off it', () =>
    withPlan(1, async (on) => {
      const created = await post(on, '', VERSION);
      expect(created.headers.get('location')).to.equal('/v1/plans/pro/versions/2');
      expect(created.body).to.deep.include({ plan: 'pro', version: 2, state: 'draft', ...VERSION });
      const published = await post(on, '/2/publish');
      expect(published.status).to.equal(200);
      expect(published.body).to.include({ state: 'active' });
      expect(await get(on, '2')).to.deep.equal(published.body);
      expect((await on.call({ path: '/v1/plans/pro' })).body).to.include({
        newestVersion: 2,
        activeVersion: 2,
      });
      const replaced = await on.call({ method: 'PUT', path: '/v1/plans/pro/versions/2', body: VERSION });
      expect([replaced.status, (replaced.body as Refused).code]).to.deep.equal([
        409,
        'plan_version_published',
      ]);
      expect((await post(on, '/2/archive')).body).to.include({ state: 'archived' });
      expect((await on.call({ path: '/v1/plans/pro' })).body).to.include({ activeVersion: null });
      expect((await on.call({ method: 'DELETE', path: '/v1/plans/pro' })).status).to.equal(200);
      expect((await post(on, '', VERSION)).body).to.include({ code: 'plan_archived' });
    }));

  it('give prices as they came, a JSON number digit by digit', () =>
    withPlan(0, async (on) => {
      const price = '{"model":"perUnit","unitPrice":0.00000000000000000000125}';
      const body = `{"currencies":["USD"],"phases":[{"key":"standard","charges":[{"key":"seats","price":${price},"minimum":"5.00"}]}]}`;
      const headers = { 'content-type': 'application/json' };
      const created = await on.call({ method: 'POST', path: '/v1/plans/pro/versions', body, headers });
      expect(created.status).to.equal(201);
      const { phases } = created.body as { phases: { charges: unknown[] }[] };
      expect(phases[0]?.charges).to.deep.equal([
        {
          key: 'seats',
          price: { model: 'perUnit', unitPrice: '0.00000000000000000000125' },
          minimum: '5.00',
        },
      ]);
    }));

  it('name every fault of a version at once, by where it is in the request', () =>
    withPlan(1, async (on) => {
      const body = {
        currencies: ['USD', 'EUR'],
        phases: [{ key: 'standard', duration: 'P1M', charges: [SEATS, { ...TOKENS, timing: 'inAdvance' }] }],
        minimum: { amount: { USD: '1.005', EUR: '1' } },
      };
      for (const answer of [
        await post(on, '', body),
        await on.call({ method: 'PUT', path: '/v1/plans/pro/versions/1', body }),
      ]) {
        expect(answer.status).to.equal(400);
        expect(faultsOf(answer.body)).to.have.members([
          '/phases/0/duration last_phase_ends',
          '/phases/0/charges/0/inCurrency/EUR currency_missing',
          '/phases/0/charges/1/inCurrency/EUR currency_missing',
          '/phases/0/charges/1/timing usage_in_advance',
          '/minimum/amount/USD not_in_minor_units',
        ]);
      }
    }));

  it('publish nothing whose meters are not there', () =>
    withPlan(0, async (on) => {
      await post(on, '', { currencies: ['USD'], phases: [{ key: 'standard', charges: [TOKENS] }] });
      const refused = await post(on, '/1/publish');
      expect(refused.status).to.equal(400);
      expect(faultsOf(refused.body)).to.deep.equal(['/phases/0/charges/0/meter unknown_meter']);
      const meter = { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' };
      await on.call({ method: 'PUT', path: '/v1/meters/tokens', body: meter });
      expect((await post(on, '/1/publish')).status).to.equal(200);
      const archived = await on.call({ method: 'DELETE', path: '/v1/meters/tokens' });
      expect([archived.status, (archived.body as Refused).code]).to.deep.equal([409, 'meter_in_use']);
    }));

  it('answer what would be with preview=true, and change nothing', () =>
    withPlan(1, async (on) => {
      const { call } = on;
      const before = [
        await call({ path: '/v1/plans/pro' }),
        await call({ path: '/v1/plans/pro/versions/1' }),
      ];
      const created = await post(on, '?preview=true', VERSION);
      expect([created.status, created.headers.get('location')]).to.deep.equal([200, null]);
      expect(created.body).to.include({ version: 2, state: 'draft' });
      expect((await post(on, '/1/publish?preview=true')).body).to.include({ state: 'active' });
      expect((await post(on, '/1/archive?preview=true')).body).to.include({ state: 'archived' });
      const other = { ...VERSION, family: 'other' };
      const path = '/v1/plans/pro/versions/1?preview=true';
      expect((await call({ method: 'PUT', path, body: other })).body).to.include({ family: 'other' });
      const renamed = { method: 'PUT', path: '/v1/plans/pro?preview=true', body: { name: 'Renamed' } };
      expect((await call(renamed)).body).to.include({ name: 'Renamed' });
      expect(
        (await call({ method: 'PUT', path: '/v1/plans/new?preview=true', body: { name: 'New' } })).status,
      ).to.equal(200);
      expect((await call({ path: '/v1/plans/new' })).status).to.equal(404);
      const gone = await call({ method: 'DELETE', path: '/v1/plans/pro?preview=true' });
      expect((gone.body as { archivedAt: unknown }).archivedAt).to.be.a('string');
      const after = [await call({ path: '/v1/plans/pro' }), await call({ path: '/v1/plans/pro/versions/1' })];
      expect(after.map(({ body }) => body)).to.deep.equal(before.map(({ body }) => body));
      expect((await post(on, '?preview=maybe', VERSION)).status).to.equal(400);
    }));

  it('make one draft under one Idempotency-Key', () =>
    withPlan(0, async ({ call }) => {
      const headers = { 'idempotency-key': 'draft-1' };
      const again = { method: 'POST', path: '/v1/plans/pro/versions', body: VERSION, headers };
      const [first, second] = [await call(again), await call(again)];
      expect(second.headers.get('idempotent-replayed')).to.equal('true');
      expect(second.body).to.deep.equal(first.body);
      expect((await call({ path: '/v1/plans/pro' })).body).to.include({ newestVersion: 1 });
    }));

  it('remember the answer of the largest version there can be', () =>
    withPlan(0, async ({ call }) => {
      const cellOf = (at: number) => ({
        match: { model: String(at).padStart(200, 'm') },
        unitPrice: '0.00001',
      });
      const count = Math.floor((PLAN_VERSION_BYTES_MAX - 1_000) / (JSON.stringify(cellOf(0)).length + 1));
      const price = {
        model: 'matrix',
        dimensions: ['model'],
        cells: Array.from({ length: count }, (_, at) => cellOf(at)),
      };
      const body = { currencies: ['USD'], phases: [{ key: 'standard', charges: [{ ...TOKENS, price }] }] };
      const headers = { 'idempotency-key': 'large' };
      const created = await call({ method: 'POST', path: '/v1/plans/pro/versions', body, headers });
      expect(created.status, created.text.slice(0, 300)).to.equal(201);
      const read = await call({ path: '/v1/plans/pro/versions/1' });
      expect(read.body).to.deep.equal(created.body);
      const listed = await call({ path: '/v1/plans/pro/versions' });
      expect(listed.text.length).to.be.below(1_000);
      const larger = { ...price, cells: [...price.cells, ...price.cells.slice(0, 9)] };
      const tooLarge = { ...body, phases: [{ key: 'standard', charges: [{ ...TOKENS, price: larger }] }] };
      const refused = await call({ method: 'POST', path: '/v1/plans/pro/versions', body: tooLarge });
      expect(faultsOf(refused.body)).to.deep.equal([' too_large']);
    }));

  it('list plans and versions by pages', () =>
    withPlan(3, async ({ call }) => {
      await call({ method: 'PUT', path: '/v1/plans/basic', body: { name: 'Basic' } });
      interface Page {
        readonly items: { readonly key?: string; readonly version?: number }[];
        readonly nextCursor: string | null;
      }
      const pages = async (path: string): Promise<unknown[]> => {
        const { items, nextCursor } = (await call({ path })).body as Page;
        const names = items.map(({ key, version }) => key ?? version);
        if (nextCursor === null) return [names];
        return [names, ...(await pages(`${path.split('&')[0]}&cursor=${nextCursor}`))];
      };
      expect(await pages('/v1/plans?limit=1')).to.deep.equal([['basic'], ['pro']]);
      expect(await pages('/v1/plans/pro/versions?limit=2')).to.deep.equal([[1, 2], [3]]);
      const listed = await call({ path: '/v1/plans/pro/versions?limit=1' });
      expect((listed.body as Page).items[0]).to.deep.include({ phases: ['trial', 'standard'], charges: 1 });
    }));

  it('say what a change between versions means, and what forbids it', () =>
    withPlan(1, async (on) => {
      const yearly = { key: 'standard', charges: [{ ...SEATS, cadence: 'P1Y' }] };
      await post(on, '', { currencies: ['EUR'], phases: [yearly] });
      const between = async (query: string) =>
        (await on.call({ path: `/v1/plans/pro/versions/1/compatibility?${query}` })).body as {
          compatible: boolean;
          faults: { code: string }[];
          notices: { code: string; key: string | null }[];
        };
      const { compatible, faults, notices } = await between('version=2');
      expect(compatible).to.equal(false);
      expect(faults.map(({ code }) => code)).to.deep.equal(['version_not_published', 'currency_not_offered']);
      expect(notices.map(({ code, key }) => `${code} ${key}`)).to.deep.equal([
        'phases_change null',
        'cadence_changes seats',
      ]);
      await post(on, '/2/publish');
      expect(await between('plan=pro&version=2&currency=EUR')).to.include({ compatible: true });
      expect(await between('version=9')).to.include({ code: 'plan_version_not_found' });
      expect(await between('plan=none&version=1')).to.include({ code: 'plan_not_found' });
    }));

  it('show a plan to its namespace only', () =>
    withPlan(1, async ({ call, makeKey }) => {
      const key = await makeKey({ namespace: 'elsewhere' });
      for (const path of ['/v1/plans/pro', '/v1/plans/pro/versions', '/v1/plans/pro/versions/1'])
        expect((await call({ path, key })).body, path).to.include({ code: 'plan_not_found' });
      for (const verb of ['publish', 'archive']) {
        const path = `/v1/plans/pro/versions/1/${verb}`;
        expect((await call({ method: 'POST', path, key })).body, path).to.include({ code: 'plan_not_found' });
      }
      expect((await call({ path: '/v1/plans', key })).body).to.deep.equal({ items: [], nextCursor: null });
      const reader = await makeKey({ scopes: ['catalogue:read'] });
      expect((await call({ path: '/v1/plans/pro', key: reader })).status).to.equal(200);
      expect((await call({ method: 'DELETE', path: '/v1/plans/pro', key: reader })).status).to.equal(403);
    }));
});
