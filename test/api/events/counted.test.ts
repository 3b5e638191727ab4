import { expect } from 'chai';
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { withApi } from '#test/support/api-server.ts';
import { callEvent, SOURCE, startRunning, TOKENS } from './running-api.ts';

const COUNT = {
  name: 'Calls',
  eventType: 'llm.request',
  aggregation: 'count',
  dimensions: { model: 'model' },
};

describe('events over HTTP, with a pipeline', () => {
  it('of a producer that others wrote are counted exactly, in every content mode, however often they are sent', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.putMeter('calls', COUNT);
      const made = (id: string, tokens: number): CloudEvent<unknown> =>
        new CloudEvent({
          id,
          source: SOURCE,
          type: 'llm.request',
          subject: 'acme',
          traceparent: '00-ab',
          data: { tokens, model: 'm1' },
        });
      const post = async ({ headers, body }: Message): Promise<void> => {
        const answer = await on.call({
          method: 'POST',
          path: '/v1/events',
          headers: headers as Record<string, string>,
          body,
        });
        expect(answer.status, answer.text).to.equal(202);
      };
      const structured = HTTP.structured(made('structured', 1));
      const binary = HTTP.binary(made('binary', 20));
      const batch = {
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify([made('batch-1', 300), made('batch-2', 4_000)]),
      };
      // The same event in another mode says the same, so it is the same.
      const again = HTTP.binary(CloudEvent.cloneWith(HTTP.toEvent(structured) as CloudEvent<unknown>, {}));
      for (const message of [structured, binary, batch, structured, binary, batch, again])
        await post(message);
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('4321');
      expect(await running.usage('calls', 'acme')).to.equal('4');
      for (const id of ['structured', 'binary', 'batch-1', 'batch-2']) {
        const { state, conflicts } = await running.lookup(id);
        expect({ state, conflicts: conflicts.length }, id).to.deep.equal({ state: 'counted', conflicts: 0 });
      }
    }));

  it('keep every digit that was sent, in usage and in what is told of them', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      const digits = [
        '9007199254740993',
        '12345678901234567890',
        '1e3',
        '-0.000000000000000001',
        '"0.30000000000000004"',
      ];
      const texts = digits.map((number, at) =>
        JSON.stringify(callEvent(`e-${at}`, { tokens: 0 })).replace('"tokens":0', `"tokens":${number}`),
      );
      const headers = { 'content-type': 'application/cloudevents-batch+json' };
      const answer = await on.call({
        method: 'POST',
        path: '/v1/events',
        headers,
        body: `[${texts.join(',')}]`,
      });
      expect(answer.body).to.include({ accepted: digits.length });
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('12354686100489309883.300000000000000039');
      const values = await Promise.all(
        texts.map(async (_, at) => (await running.lookup(`e-${at}`)).cells[0]?.value),
      );
      expect(values).to.deep.equal([
        '9007199254740993',
        '12345678901234567890',
        '1000',
        '-0.000000000000000001',
        '0.30000000000000004',
      ]);
      const told = await on.call({ path: `/v1/events/lookup?source=${SOURCE}&id=e-1` });
      expect(told.text).to.contain('"tokens":12345678901234567890');
    }));

  it('are told of one by one: counted where, unmatched, another copy, refused and why, not seen', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('calls', COUNT);
      await running.putMeter('tokens', { ...TOKENS, filter: "data.model != 'free'" });
      const time = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
      await running.send([
        callEvent('counted', { tokens: 7, model: 'm1' }),
        callEvent('unmatched', {}, { type: 'other' }),
        callEvent('twice', { tokens: 1, model: 'm1' }, { time }),
        callEvent('differs', { tokens: 1, model: 'm1' }, { time }),
      ]);
      await running.settled();
      const differing = callEvent('differs', { tokens: 2, model: 'm1' }, { time });
      await running.send([callEvent('twice', { model: 'm1', tokens: 1 }, { time }), differing, differing]);
      // As if it had been accepted just before the meter was saved.
      const attributes = namespaceAttributes('default');
      const late = JSON.stringify(callEvent('refused', { model: 'm1' }));
      await on.stores.topics.api.publish([{ data: Buffer.from(late), attributes }]);
      await running.settled();

      const counted = await running.lookup('counted');
      expect(counted).to.deep.include({ state: 'counted', conflicts: [], deadLetters: [] });
      expect(counted.event?.data).to.deep.equal({ model: 'm1', tokens: 7 });
      expect(counted.cells.map(({ meter, group, value }) => ({ meter, group, value }))).to.have.deep.members([
        { meter: 'calls', group: { model: 'm1' }, value: '1' },
        { meter: 'tokens', group: null, value: '7' },
      ]);
      expect(await running.lookup('unmatched')).to.deep.include({
        state: 'unmatched',
        cells: [],
        conflicts: [],
      });
      expect(await running.lookup('twice')).to.deep.include({ state: 'counted', conflicts: [] });
      const differs = await running.lookup('differs');
      expect(differs.state).to.equal('counted');
      expect(differs.conflicts, 'a copy that is sent again is one conflict').to.have.length(1);
      expect(differs.cells.find(({ meter }) => meter === 'tokens')?.value).to.equal('1');
      const refused = await running.lookup('refused');
      expect(refused).to.deep.include({ state: 'unseen', cells: [] });
      expect(refused.deadLetters[0]).to.include({ reason: 'value_missing', state: 'open' });
      expect(await running.lookup('nobody')).to.deep.include({ state: 'unseen', deadLetters: [] });
      expect(await running.usage('tokens', 'acme')).to.equal('9');
    }));

  it('of another namespace are unseen, whatever is asked or done', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      const other = await on.makeKey({ namespace: 'sandbox' });
      await running.putMeter('tokens', TOKENS);
      await running.send([callEvent('mine', { tokens: 5 })]);
      await running.settled();
      const seen = await running.lookup('mine', { key: other });
      expect(seen).to.deep.include({ state: 'unseen', cells: [] });
      expect(seen).to.not.have.property('event');
      expect(seen.identity).to.not.equal((await running.lookup('mine')).identity);
      const body = { source: SOURCE, id: 'mine', reason: 'not mine' };
      const voided = await on.call({ method: 'POST', path: '/v1/events/void', body, key: other });
      expect(voided.body).to.include({ outcome: 'ahead', identity: seen.identity });
      expect(await running.lookup('mine')).to.deep.include({ state: 'counted' });
      expect(await running.usage('tokens', 'acme')).to.equal('5');
      // An event of the same name in the other namespace is another event.
      await running.send([callEvent('both', { tokens: 1 })]);
      await running.send([callEvent('both', { tokens: 9 })], other);
      await running.settled();
      expect((await running.lookup('both', { key: other })).state).to.equal('unmatched');
      expect(await running.usage('tokens', 'acme')).to.equal('6');
    }));
});
