import { expect } from 'chai';
import type { LocalStores } from '#infra/local/open-local.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { callEvent, SOURCE, startRunning, TOKENS } from './running-api.ts';

/** As a warehouse answers that has no such row. */
async function* nothing(): AsyncGenerator<never> {}

const correct = (
  { call }: TestApi,
  what: 'void' | 'amend' | 'restore',
  id: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiAnswer> =>
  call({
    method: 'POST',
    path: `/v1/events/${what}`,
    body: { source: SOURCE, id, reason: 'the producer was wrong', ...more },
    headers,
  });

describe('correcting events over HTTP', () => {
  it('takes an event out of usage, and brings it back', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.send([callEvent('e-1', { tokens: 5 }), callEvent('e-2', { tokens: 30 })]);
      await running.settled();
      const voided = await correct(on, 'void', 'e-1');
      expect(voided.status, voided.text).to.equal(200);
      const { identity } = await running.lookup('e-1');
      expect(voided.body).to.deep.equal({ identity, outcome: 'voided' });
      expect(await running.usage('tokens', 'acme')).to.equal('30');
      expect(await running.lookup('e-1')).to.deep.include({ state: 'void', cells: [] });
      expect((await correct(on, 'void', 'e-1')).body).to.include({ outcome: 'already' });
      expect((await correct(on, 'restore', 'e-1')).body).to.deep.equal({ identity, outcome: 'restored' });
      expect(await running.usage('tokens', 'acme')).to.equal('35');
      expect((await correct(on, 'restore', 'e-1')).body).to.include({ outcome: 'already' });
      expect((await correct(on, 'restore', 'nobody')).body).to.include({ outcome: 'unseen' });
    }));

  it('keeps a void that comes first until its event comes, or it is taken back', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      for (const id of ['void-1', 'void-2'])
        expect((await correct(on, 'void', id)).body).to.include({ outcome: 'ahead' });
      expect((await correct(on, 'restore', 'void-2')).body).to.include({ outcome: 'forgotten' });
      await running.send([callEvent('void-1', { tokens: 5 }), callEvent('void-2', { tokens: 7 })]);
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('7');
      expect((await running.lookup('void-1')).state).to.equal('void');
    }));

  it('puts another event in the place of one, with every digit, and gives the first answer again under one key', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.send([callEvent('old', { tokens: 5 })]);
      await running.settled();
      const { identity } = await running.lookup('old');
      const text = JSON.stringify({
        source: SOURCE,
        id: 'old',
        reason: 'wrong amount',
        event: callEvent('new', { tokens: 0 }),
      }).replace('"tokens":0', '"tokens":9007199254740993');
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'amend-1' };
      const amend = () => on.call({ method: 'POST', path: '/v1/events/amend', body: text, headers });
      const first = await amend();
      expect(first.status, first.text).to.equal(200);
      expect(first.body).to.include({ identity, outcome: 'voided' });
      const again = await amend();
      expect(again.headers.get('idempotent-replayed')).to.equal('true');
      expect(again.body).to.deep.equal(first.body);
      expect(await running.usage('tokens', 'acme')).to.equal('9007199254740993');
      expect((await running.lookup('old')).state).to.equal('void');
      const after = await running.lookup('new');
      expect(after).to.deep.include({ state: 'counted' });
      expect(after.event).to.have.deep.property('attributes', { amends: identity });
    }));

  it('changes nothing where the new event cannot take its place', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.send([callEvent('old', { tokens: 5 }), callEvent('taken', { tokens: 1 })]);
      await running.settled();
      const refusals = [
        [callEvent('new', { tokens: 5 }, { subject: null }), 400, 'event_refused'],
        [callEvent('new', { tokens: 'many' }), 409, 'amendment_refused'],
        [callEvent('old', { tokens: 6 }), 409, 'amendment_refused'],
        [callEvent('taken', { tokens: 6 }), 409, 'amendment_refused'],
      ] as const;
      for (const [event, status, code] of refusals) {
        const refused = await correct(on, 'amend', 'old', { event });
        expect(refused.status, refused.text).to.equal(status);
        expect(refused.body).to.include({ code });
      }
      expect(await running.usage('tokens', 'acme')).to.equal('6');
      expect((await running.lookup('old')).state).to.equal('counted');
    }));

  it('asks to come again while the event is not in the warehouse yet, which is no answer to be remembered', () => {
    let isEmpty = true;
    const standIns = ({ warehouse }: LocalStores) => {
      const query: Warehouse['query'] = (...asked) => (isEmpty ? nothing() : warehouse.query(...asked));
      return { warehouse: { ...warehouse, query } };
    };
    return withApi(
      async (on) => {
        const running = await startRunning(on);
        await running.putMeter('tokens', TOKENS);
        await running.send([callEvent('e-1', { tokens: 5 })]);
        await running.settled();
        const headers = { 'idempotency-key': 'void-1' };
        const early = await correct(on, 'void', 'e-1', {}, headers);
        expect([early.status, early.headers.get('retry-after')]).to.deep.equal([503, '1']);
        expect(early.body).to.include({ code: 'not_yet_appended' });
        expect(await running.lookup('e-1')).to.deep.include({ state: 'counted', cells: [] });
        isEmpty = false;
        expect((await correct(on, 'void', 'e-1', {}, headers)).body).to.include({ outcome: 'voided' });
      },
      { standIns },
    );
  });

  it('names what is missing', () =>
    withApi(async ({ call }) => {
      const answer = await call({
        method: 'POST',
        path: '/v1/events/void',
        body: { source: SOURCE, id: '' },
      });
      expect(answer.status).to.equal(400);
      const { violations } = answer.body as { violations: { pointer: string }[] };
      expect(violations.map(({ pointer }) => pointer)).to.have.members(['/id', '/reason']);
    }));
});
