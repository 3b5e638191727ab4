import { expect } from 'chai';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { callEvent, startRunning, TOKENS } from '#test/api/events/running-api.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';

const SCHEMA = {
  type: 'object',
  required: ['tokens'],
  properties: { tokens: { type: 'integer', minimum: 0 } },
};
const PATH = '/v1/event-types/llm.request';

const put = ({ call }: TestApi, body: object, path = PATH) => call({ method: 'PUT', path, body });

const statusesOf = async ({ call }: TestApi, events: readonly object[]): Promise<unknown[]> => {
  const answer = await call({ method: 'POST', path: '/v1/events', body: events });
  const { results } = answer.body as { results: { status: string; problem?: { code: string } }[] };
  return results.map(({ status, problem }) => problem?.code ?? status);
};

describe('the routes of event types', () => {
  it('save, read and list a schema, with a version that rises with each change', () =>
    withApi(async (on) => {
      const created = await put(on, { schema: SCHEMA, enforce: 'reject' });
      expect(created.status, created.text).to.equal(201);
      expect(created.headers.get('location')).to.equal(PATH);
      const saved = { type: 'llm.request', version: 1, schema: SCHEMA, enforce: 'reject', since: 1 };
      expect(created.body).to.deep.equal(saved);
      expect((await on.call({ path: PATH })).body).to.deep.equal(saved);
      const unchanged = await put(on, { schema: SCHEMA, enforce: 'reject' });
      expect([unchanged.status, unchanged.body]).to.deep.equal([200, saved]);
      expect((await put(on, { schema: null, enforce: 'report' })).body).to.include({
        version: 2,
        schema: null,
      });
      await put(on, { schema: SCHEMA }, '/v1/event-types/a%2Fb');
      const page = async (query: string) =>
        (await on.call({ path: `/v1/event-types?${query}` })).body as {
          items: { type: string }[];
          nextCursor: string | null;
        };
      const first = await page('limit=1');
      expect(first.items.map(({ type }) => type)).to.deep.equal(['a/b']);
      const second = await page(`cursor=${first.nextCursor}`);
      expect(second.items.map(({ type }) => type)).to.deep.equal(['llm.request']);
      expect((await on.call({ path: '/v1/event-types/none' })).body).to.include({
        code: 'event_type_not_found',
      });
      const other = await on.makeKey({ namespace: 'sandbox' });
      expect((await on.call({ path: PATH, key: other })).body).to.include({ code: 'event_type_not_found' });
    }));

  it('name every violation of a schema that cannot be used', () =>
    withApi(async (on) => {
      const schema = { type: 'objekt', minimum: '5', $ref: 'https://example.org/schema' };
      const answer = await put(on, { schema, enforce: 'reject' });
      expect(answer.status).to.equal(400);
      expect(answer.body).to.include({ code: 'invalid_event_type' });
      const beyond = await on.call({
        method: 'PUT',
        path: PATH,
        headers: { 'content-type': 'application/json' },
        body: '{"schema":{"maximum":1e999},"enforce":"reject"}',
      });
      expect(beyond.status, 'a number that no double holds').to.equal(400);
      const exact = await on.call({
        method: 'PUT',
        path: PATH,
        headers: { 'content-type': 'application/json' },
        body: '{"schema":{"maximum":9007199254740993},"enforce":"reject"}',
      });
      expect(exact.status, exact.text).to.equal(201);
    }));

  it('let events be refused at once, by what is in force now', () =>
    withApi(async (on) => {
      const events = [callEvent('good', { tokens: 1 }), callEvent('bad', { tokens: -1 }), callEvent('none')];
      expect(await statusesOf(on, events)).to.deep.equal(['accepted', 'accepted', 'accepted']);
      await put(on, { schema: SCHEMA, enforce: 'reject' });
      expect(await statusesOf(on, events)).to.deep.equal([
        'accepted',
        'schema_violation',
        'schema_violation',
      ]);
      await put(on, { schema: SCHEMA, enforce: 'report' });
      expect(await statusesOf(on, events)).to.deep.equal(['accepted', 'accepted', 'accepted']);
      await on.call({ method: 'PUT', path: '/v1/meters/tokens', body: TOKENS });
      expect(await statusesOf(on, events)).to.deep.equal(['accepted', 'accepted', 'value_missing']);
    }));

  it('have their dead letters count once the schema is mended', () =>
    withApi(async (on) => {
      const running = await startRunning(on);
      await running.putMeter('tokens', TOKENS);
      await put(on, { schema: SCHEMA, enforce: 'reject' });
      const data = Buffer.from(JSON.stringify(callEvent('late', { tokens: 1.5 })));
      await on.stores.topics.api.publish([{ data, attributes: namespaceAttributes('default') }]);
      await running.settled();
      expect((await running.lookup('late')).deadLetters[0]).to.include({ reason: 'schema_violation' });
      await put(on, { schema: { ...SCHEMA, properties: {} }, enforce: 'reject' });
      const body = { matching: { reason: 'schema_violation' } };
      expect((await on.call({ method: 'POST', path: '/v1/dead-letters/replay', body })).body).to.include({
        published: 1,
      });
      await running.settled();
      expect(await running.usage('tokens', 'acme')).to.equal('1.5');
    }));
});
