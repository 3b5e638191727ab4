import { expect } from 'chai';
import { VERSION } from '#infra/version.ts';
import { assembleRoutes } from '#api/routes.ts';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { withApi } from '#test/support/api-server.ts';

const ABOUT_MONEY = ['Subscriptions', 'Invoices'];

describe('changes of what is owed', () => {
  it('are known as such, each of them, so that an answer under an idempotency key is kept for 30 days', () => {
    const { routes } = assembleRoutes(VERSION);
    const changes = routes.filter(({ scope, tag }) => scope === 'billing:write' && ABOUT_MONEY.includes(tag));
    expect(changes.length).to.be.greaterThan(15);
    expect(changes.filter(({ ofMoney }) => ofMoney !== true).map(({ name }) => name)).to.deep.equal([]);
  });

  it('are done once by requests of one key that are 29 days apart, where others are forgotten after one', async () => {
    let now = systemScheduler.now();
    const scheduler: Scheduler = { ...systemScheduler, now: () => now };
    await withApi(
      async ({ call }) => {
        const post = async (path: string, body: object, method = 'POST') => {
          const answer = await call({ method, path, body, headers: { 'idempotency-key': 'once' } });
          expect(answer.status, answer.text).to.be.within(200, 299);
          return [answer.headers.get('idempotent-replayed'), answer.body] as const;
        };
        const charge = { key: 'base', timing: 'inAdvance', price: { model: 'flat', amount: '9' } };
        await post('/v1/plans/pro', { name: 'Pro' }, 'PUT');
        const version = { currencies: ['USD'], phases: [{ key: 'all', charges: [charge] }] };
        await post('/v1/plans/pro/versions', version);
        await post('/v1/plans/pro/versions/1/publish', {});
        await post('/v1/customers/acme', { name: 'Acme' }, 'PUT');
        const subscribe = () => post('/v1/customers/acme/subscriptions', { plan: 'pro' });
        const [, made] = await subscribe();
        now += 29 * MICROS_PER_DAY;
        expect(await subscribe()).to.deep.equal(['true', made]);
        expect((await post('/v1/plans/pro', { name: 'Pro' }, 'PUT'))[0]).to.equal(null);
        now += 2 * MICROS_PER_DAY;
        expect((await subscribe())[0]).to.equal(null);
      },
      { scheduler },
    );
  });
});
