import { Writable } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import { withApi, type TestApi } from '#test/support/api-server.ts';
import { operations } from '#test/support/openapi.ts';
import { exchangeRaw, headOf, openRaw } from '#test/support/raw-connection.ts';
import { pathOf, prepareSamples } from '../api/samples.ts';

const CLOSE = 'Connection: close';

/** The status of an answer that must be a problem, or a success. */
function statusOf(text: string): number {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
  if (status >= 400) {
    expect(text)
      .to.include('application/problem+json')
      .and.match(/\r\nrequest-id: /i);
    expect(text).not.to.match(/node_modules|\/work|\/home|\/tmp|\.ts:\d|SELECT |sqlite/i);
  }
  return status;
}

const ask = async ({ api, key }: TestApi, path: string, headers: readonly string[] = [], method = 'GET') =>
  exchangeRaw(api.url, headOf({ method, path, key, headers: [CLOSE, ...headers] }));

describe('a request that means to deceive', () => {
  it('is of the path that it names, however its customer is written', () =>
    withApi(async (on) => {
      for (const name of [
        'a/b',
        'Zürich/7',
        'a b',
        '__proto__',
        'constructor',
        '%2F',
        '...',
        '日本',
        'a?b#c',
      ]) {
        const path = `/v1/customers/${encodeURIComponent(name)}`;
        const made = await on.call({ method: 'PUT', path, body: { name: 'x' } });
        expect(made.status, made.text).to.equal(201);
        expect(made.headers.get('location'), name).to.equal(path);
        expect((await on.call({ path })).body, name).to.include({ key: name });
      }
      const refused = ['..', '.', '%2e%2e', '%2E', 'a%00b', 'a%0Ab', '%ff', '%zz', '%', 'a'.repeat(257)];
      for (const name of refused)
        expect(statusOf(await ask(on, `/v1/customers/${name}`)), name).to.equal(400);
      for (const path of [
        '/v1/customers/a/b',
        '//v1/meters',
        '/v1/meters/',
        '/v1/./meters',
        '/V1/meters',
        '*',
      ])
        expect(statusOf(await ask(on, path)), path).to.equal(404);
    }));

  it('is of the method that it names, whatever its headers or its query say', () =>
    withApi(async (on) => {
      const path = '/v1/customers/acme';
      expect((await on.call({ method: 'PUT', path, body: { name: 'Acme' } })).status).to.equal(201);
      for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
        expect(statusOf(await ask(on, path, [`${name}: DELETE`])), name).to.equal(200);
      expect(statusOf(await ask(on, `${path}?_method=DELETE`, ['Content-Length: 0'], 'POST'))).to.equal(405);
      for (const method of ['OPTIONS', 'TRACE', 'PROPFIND', 'POST'])
        expect(statusOf(await ask(on, path, ['Content-Length: 0'], method)), method).to.equal(405);
      expect((await on.call({ path })).body).to.include({ archivedAt: null });
    }));

  it('has one Host and one key: of several keys the first counts', () =>
    withApi(async (on) => {
      const headers = (...lines: readonly string[]): Promise<string> =>
        exchangeRaw(on.api.url, `GET /v1/meters HTTP/1.1\r\n${[CLOSE, ...lines].join('\r\n')}\r\n\r\n`);
      const key = `Authorization: Bearer ${on.key}`;
      const other = 'Authorization: Bearer mr_live_other';
      expect(statusOf(await headers('Host: x', key))).to.equal(200);
      expect(statusOf(await headers('Host: x', key, other))).to.equal(200);
      expect(statusOf(await headers('Host: x', other, key))).to.equal(401);
      expect(statusOf(await headers(key)), 'no host').to.equal(400);
      expect(statusOf(await headers('Host: x', 'host: y', key)), 'two hosts').to.equal(400);
      expect(statusOf(await headers('Host: x', key, 'Expect: the-best')), 'not understood').to.equal(200);
      const inQuery = headOf({ path: `/v1/meters?access_token=${on.key}`, headers: [CLOSE] });
      expect(statusOf(await exchangeRaw(on.api.url, inQuery)), 'a key in the query').to.equal(401);
    }));

  it('cannot have two lengths, nor one that its chunks contradict', () =>
    withApi(async (on) => {
      const put = (body: string, ...headers: readonly string[]): Promise<string> =>
        exchangeRaw(
          on.api.url,
          headOf({
            method: 'PUT',
            path: '/v1/features/f',
            key: on.key,
            headers: [CLOSE, 'Content-Type: application/json', ...headers],
          }) + body,
        );
      const chunked = 'c\r\n{"name":"x"}\r\n0\r\n\r\n';
      const cases = [
        put('{}', 'Content-Length: 2', 'Content-Length: 3'),
        put(chunked, 'Content-Length: 12', 'Transfer-Encoding: chunked'),
        put('zz\r\n{}\r\n', 'Transfer-Encoding: chunked'),
        put('{}', 'Content-Length: -1'),
        put('{}', 'Content-Length: 1e1'),
      ];
      for (const answer of await Promise.all(cases)) expect(statusOf(answer), answer).to.equal(400);
      expect((await on.call({ path: '/v1/features/f' })).status).to.equal(404);
    }));

  it('is refused when it is longer than any call: 431 for its head, 400 for a value', () =>
    withApi(async (on) => {
      const flood = Array.from({ length: 1_000 }, (_, at) => `X-${at}: ${'y'.repeat(20)}`);
      expect(statusOf(await ask(on, `/v1/meters?limit=${'1'.repeat(20_000)}`))).to.equal(431);
      expect(statusOf(await ask(on, '/v1/meters', flood))).to.equal(431);
      expect(statusOf(await ask(on, `/v1/meters?limit=${'1'.repeat(10_000)}`))).to.equal(400);
      expect(statusOf(await ask(on, `/v1/meters?${'a=1&'.repeat(2_000)}`))).to.equal(400);
    }));

  it('leaves an answer alone that is on its way, whatever it sends behind', () =>
    withApi(async (on) => {
      const meter = { name: 'Calls', eventType: 'call', aggregation: 'count' };
      await on.call({ method: 'PUT', path: '/v1/meters/calls', body: meter });
      const range = 'from=2026-01-01T00:00:00Z&to=2027-06-01T00:00:00Z&window=minute';
      const connection = await openRaw(on.api.url);
      const path = `/v1/usage?meter=calls&subject=acme&${range}`;
      connection.send(headOf({ path, key: on.key, headers: ['Accept: text/csv'] }));
      await connection.hears('from,to,value');
      connection.send('NO HTTP\r\n\r\n');
      const text = await connection.closed;
      expect(text.lastIndexOf('HTTP/1.1')).to.equal(0);
      expect(text).not.to.match(/\r\n0\r\n\r\n$/);
    }));
});

describe('names of the prototype', () => {
  it('are names like others, or refused: never passed over, and never anything more', () =>
    withApi(async (on) => {
      const json = { 'content-type': 'application/json' };
      const send = (method: string, path: string, body: string) =>
        on.call({ method, path, body, headers: json });
      const meter = '"name":"T","eventType":"x","aggregation":"sum","value":"v"';
      const made = await send('PUT', '/v1/meters/m', `{${meter},"dimensions":{"constructor":"c"}}`);
      expect(made.status, made.text).to.equal(201);
      const usage = '/v1/usage?meter=m&subject=a&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z';
      const refused = await Promise.all([
        send('PUT', '/v1/features/f', '{"name":"x","__proto__":{"admin":true}}'),
        send('PUT', '/v1/customers/c', '{"name":"x","metadata":{"__proto__":"lost"}}'),
        send('PUT', '/v1/meters/n', `{${meter},"dimensions":{"__proto__":"lost"}}`),
        on.call({ path: `${usage}&filter[__proto__]=x` }),
        on.call({ path: `${usage}&filter[toString]=x` }),
        on.call({ path: `${usage}&groupBy=__proto__` }),
        on.call({ path: `${usage}&groupBy=hasOwnProperty` }),
        on.call({ path: `${usage}&__proto__=x` }),
      ]);
      expect(refused.map(({ status }) => status)).to.deep.equal(refused.map(() => 400));
      const metadata = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
      const customer = await on.call({
        method: 'PUT',
        path: '/v1/customers/c',
        body: { name: 'x', metadata },
      });
      expect(customer.status, customer.text).to.equal(201);
      expect((customer.body as { metadata: object }).metadata).to.deep.equal(metadata);
      const event = '"specversion":"1.0","source":"__proto__","type":"__proto__","subject":"__proto__"';
      const taken = await send('POST', '/v1/events', `{${event},"id":"1","data":{"__proto__":{"v":1}}}`);
      expect(taken.status, taken.text).to.equal(202);
      expect(Object.keys(Object.prototype)).to.deep.equal([]);
    }));
});

describe('the log of a server at level debug', () => {
  it('has every request in it, and of no key its secret, nor what a client sent for one', () =>
    logging(async (on, text) => {
      const samples = await prepareSamples(on);
      const keys = [on.key, await on.makeKey({ scopes: ['usage:read'] }), 'mr_live_guessed_wrong'];
      const told: string[] = [];
      for (const { operationId, method, path } of operations) {
        const sample = samples[operationId] ?? {};
        const body = sample.body === undefined ? {} : { body: sample.body };
        for (const key of keys) {
          const { body: answer } = await on.call({ method, path: pathOf(path, sample), key, ...body });
          const { secret } = (answer ?? {}) as { secret?: string };
          if (secret !== undefined) told.push(secret);
        }
      }
      await on.call({ path: `/v1/meters?access_token=${on.key}`, headers: { cookie: `key=${on.key}` } });
      await ask(on, '/v1/meters', ['Content-Length: nonsense']);
      const log = text();
      expect(log.split('\n').length).to.be.above(operations.length);
      expect(told).not.to.deep.equal([]);
      for (const secret of [...keys, ...told]) expect(log).not.to.include(secret);
      expect(log).not.to.match(/bearer|authorization|cookie/i);
    }));
});

async function logging(test: (on: TestApi, text: () => string) => Promise<void>): Promise<void> {
  let text = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  await withApi((on) => test(on, () => text), { server: { log: pino({ level: 'debug' }, sink) } });
}
