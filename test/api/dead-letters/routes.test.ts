import { expect } from 'chai';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { callEvent, startRunning, TOKENS } from '#test/api/events/running-api.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';

interface Letter {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
  readonly eventId: string | null;
  readonly bytes?: string;
}
interface Page {
  readonly items: readonly Letter[];
  readonly nextCursor: string | null;
}

/** Straight to the API's topic: as if they had been accepted just before what refuses them now was saved. */
const publish = ({ stores }: TestApi, texts: readonly string[], namespace = 'default') =>
  stores.topics.api.publish(
    texts.map((text) => ({ data: Buffer.from(text), attributes: namespaceAttributes(namespace) })),
  );

const listed = async ({ call }: TestApi, query = '', key?: string): Promise<Page> => {
  const answer = await call({ path: `/v1/dead-letters${query}`, ...(key === undefined ? {} : { key }) });
  expect(answer.status, answer.text).to.equal(200);
  return answer.body as Page;
};

const post = ({ call }: TestApi, what: 'replay' | 'dismiss', body: object, key?: string) =>
  call({ method: 'POST', path: `/v1/dead-letters/${what}`, body, ...(key === undefined ? {} : { key }) });

const text = (id: string, data: unknown): string => ` ${JSON.stringify(callEvent(id, data))}\n`;
const BAD_METER = { ...TOKENS, name: 'Size', value: 'size' };

describe('the routes of dead letters', () => {
  it('show each with its reason and original bytes, and count it once its cause is mended and it is replayed', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await running.putMeter('size', BAD_METER);
      const sent = text('refused', { tokens: 41 });
      await publish(on, [sent, text('counted', { tokens: 1, size: 1 }), 'no JSON']);
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('1');

      const { items } = await listed(on, '?reason=value_missing&type=llm.request');
      expect(items).to.have.length(1);
      expect(items[0]).to.include({ reason: 'value_missing', state: 'open', eventId: 'refused' });
      const { id } = items[0]!;
      const whole = await on.call({ path: `/v1/dead-letters/${id}` });
      const { bytes } = whole.body as { bytes: string };
      expect(Buffer.from(bytes, 'base64').toString('utf8')).to.equal(sent);
      expect((await on.call({ path: `/v1/dead-letters/${encodeURIComponent(id)}` })).body).to.deep.equal(
        whole.body,
      );

      // Refused again, it is the same dead letter, still open.
      expect((await post(on, 'replay', { ids: [id] })).body).to.deep.equal({
        published: 1,
        leftAlone: [],
        nextCursor: null,
      });
      await running.settled();
      expect((await listed(on, '?reason=value_missing')).items.map((letter) => letter.id)).to.deep.equal([
        id,
      ]);

      expect((await on.call({ method: 'DELETE', path: '/v1/meters/size' })).status).to.equal(200);
      const replayed = await post(on, 'replay', { matching: { reason: 'value_missing' } });
      expect(replayed.status, replayed.text).to.equal(202);
      expect(replayed.body).to.include({ published: 1 });
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('42');
      const fate = await running.lookup('refused');
      expect(fate.state).to.equal('counted');
      expect(fate.deadLetters.map((letter) => [letter.id, letter.state])).to.deep.equal([[id, 'replayed']]);
      expect((await listed(on, '?reason=value_missing')).items).to.deep.equal([]);
      expect((await listed(on, '?state=replayed')).items.map((letter) => letter.id)).to.deep.equal([id]);
      expect((await post(on, 'replay', { ids: [id] })).body).to.deep.include({
        published: 0,
        leftAlone: [{ id, why: 'closed' }],
      });
    }));

  it('page through them, and close what nobody wants', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      for (const at of [1, 2, 3, 4, 5]) await publish(on, [text(`e-${at}`, {})]);
      await running.settled();
      const ids: (string | null)[] = [];
      let next: string | null = '';
      while (next !== null) {
        const page: Page = await listed(on, `?limit=2${next === '' ? '' : `&cursor=${next}`}`);
        ids.push(...page.items.map(({ eventId }) => eventId));
        next = page.nextCursor;
      }
      expect(ids).to.have.members(['e-1', 'e-2', 'e-3', 'e-4', 'e-5']);
      const { items } = await listed(on);
      const [one, ...others] = items.map(({ id }) => id);
      expect((await post(on, 'dismiss', { ids: [one!, 'api:none'] })).body).to.deep.equal({
        dismissed: 1,
        leftAlone: [{ id: 'api:none', why: 'not_found' }],
        nextCursor: null,
      });
      expect((await listed(on, '?state=dismissed')).items.map(({ id }) => id)).to.deep.equal([one]);
      expect((await post(on, 'dismiss', { matching: {} })).body).to.include({ dismissed: others.length });
      expect((await listed(on)).items).to.deep.equal([]);
    }));

  it('are of one namespace: another one sees none, and cannot tell that there is one', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await publish(on, ['no JSON']);
      await running.settled();
      const other = await on.makeKey({ namespace: 'sandbox' });
      const [letter] = (await listed(on)).items;
      const { id } = letter!;
      expect((await listed(on, '', other)).items).to.deep.equal([]);
      const theirs = await on.call({ path: `/v1/dead-letters/${id}`, key: other });
      const nobodys = await on.call({ path: '/v1/dead-letters/api:none', key: other });
      expect([theirs.status, theirs.body]).to.deep.equal([nobodys.status, nobodys.body]);
      expect(theirs.status).to.equal(404);
      const leftAlone = [{ id, why: 'not_found' }];
      expect((await post(on, 'replay', { ids: [id] }, other)).body).to.deep.include({
        published: 0,
        leftAlone,
      });
      expect((await post(on, 'dismiss', { ids: [id] }, other)).body).to.deep.include({
        dismissed: 0,
        leftAlone,
      });
      expect((await post(on, 'replay', { matching: {} }, other)).body).to.include({ published: 0 });
      expect((await listed(on)).items.map((each) => each.id)).to.deep.equal([id]);
    }));

  it('take no selection that chooses by leaving something out, and no cursor of somebody else', () =>
    withApi(async (on) => {
      const bodies = [
        {},
        { ids: [] },
        { ids: ['x'] },
        { ids: ['a:b'], matching: {} },
        { matching: { reason: 'other' } },
      ];
      for (const body of bodies)
        expect((await post(on, 'dismiss', body)).status, JSON.stringify(body)).to.equal(400);
      expect((await post(on, 'replay', { matching: {}, cursor: 'x' })).body).to.include({
        code: 'invalid_cursor',
      });
      expect((await on.call({ path: '/v1/dead-letters?cursor=x' })).body).to.include({
        code: 'invalid_cursor',
      });
      expect((await on.call({ path: '/v1/dead-letters/x' })).status).to.equal(400);
    }));
});
