import { expect } from 'chai';
import type { ServerTimeouts } from '#api/http/server.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';
import { headOf, openRaw, type RawConnection } from '#test/support/raw-connection.ts';

/** The server's own limits, one of which is over soon: what the test is about. */
const PATIENT: ServerTimeouts = {
  headersMs: 30_000,
  requestMs: 30_000,
  keepAliveMs: 30_000,
  stalledMs: 30_000,
  checkMs: 50,
};
const withImpatientApi = (
  timeouts: Partial<ServerTimeouts>,
  test: (on: TestApi) => Promise<void>,
): Promise<void> => withApi(test, { server: { timeouts: { ...PATIENT, ...timeouts } } });

const EVENT = JSON.stringify({ specversion: '1.0', id: 'e', source: 's', type: 't', subject: 'acme' });
const MANY = 200;
const READERS = 3;

/** Both ends of every connection of this process. */
const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;

const openMany = async (on: TestApi, count: number, options?: Parameters<typeof openRaw>[1]) => {
  const connections = await Promise.all(Array.from({ length: count }, () => openRaw(on.api.url, options)));
  on.cleanup.defer(async () => connections.forEach(({ cut }) => cut()));
  return connections;
};

async function expectServed({ call }: TestApi): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answers = await Promise.all([
    call({ path: '/healthz' }),
    call({ path: '/v1/meters' }),
    call({ method: 'POST', path: '/v1/events', body: EVENT, headers }),
  ]);
  expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 202]);
}

/** Sends a text byte by byte, for ever, until the server has had enough. */
async function drip(connection: RawConnection, text: string): Promise<string> {
  let sent = 0;
  const dripping = setInterval(() => {
    if (connection.socket.writable) connection.send(text[sent++ % text.length] ?? '');
  }, 10);
  try {
    return await connection.closed;
  } finally {
    clearInterval(dripping);
  }
}

const PROBLEM_408 =
  /^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*Request-Id: [^]*"code":"request_timeout"/;

describe('clients that take their time', () => {
  it('with their headers lose their connection, and others are served meanwhile', () =>
    withImpatientApi({ headersMs: 1_000 }, async (on) => {
      const connections = await openMany(on, MANY);
      for (const { send } of connections) send('GET /healthz HTTP/1.1\r\nHost: test\r\n');
      const dripping = connections.map((connection) => drip(connection, 'X-Slow: 1\r\n'));
      await expectServed(on);
      for (const text of await Promise.all(dripping)) expect(text).to.match(PROBLEM_408);
    }));

  it('with their bodies lose their connection, and nothing of theirs is done', () =>
    withImpatientApi({ headersMs: 1_000, requestMs: 1_500 }, async (on) => {
      const connections = await openMany(on, MANY / 4);
      const request = { method: 'POST', path: '/v1/events', key: on.key };
      for (const [at, { send }] of connections.entries())
        send(
          at % 2 === 0
            ? headOf({ ...request, contentLength: 1_000_000 })
            : headOf({
                ...request,
                headers: ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
              }) + `${EVENT.length.toString(16)}\r\n${EVENT}\r\n`,
        );
      await expectServed(on);
      const ended = await Promise.all(
        connections.map((connection, at) => drip(connection, at % 2 === 0 ? ' ' : '1\r\n \r\n')),
      );
      for (const text of ended) expect(text).to.match(PROBLEM_408);
      expect((await on.stores.topics.api.backlog()).messages, 'only those of others').to.equal(1);
    }));

  it('with saying anything at all, or with saying more, keep no connection', () =>
    withImpatientApi({ headersMs: 1_000, keepAliveMs: 1_000 }, async (on) => {
      await expectServed(on);
      const before = openSockets();
      // They hold on to their half of the connection: the server must not.
      const clients = await openMany(on, 2 * MANY, { keepsHalf: true });
      const talking = clients.slice(MANY);
      for (const { send } of talking) send(headOf({ path: '/healthz' }));
      await Promise.all(talking.map(({ hears }) => hears('"alive"')));
      await expectServed(on);
      await eventually('only their own halves are left', () => openSockets() <= before + clients.length);
    }));

  it('with reading their answer are cut off, and their answer never looks whole', () =>
    withImpatientApi({ stalledMs: 1_000 }, async (on) => {
      const meter = { name: 'Calls', eventType: 'call', aggregation: 'count' };
      expect((await on.call({ method: 'PUT', path: '/v1/meters/calls', body: meter })).status).to.equal(201);
      const range = (to: string): string => `from=2026-01-01T00:00:00Z&to=${to}&window=minute`;
      const path = `/v1/usage?meter=calls&subject=acme&${range('2027-06-01T00:00:00Z')}`;
      const readers = await openMany(on, READERS);
      for (const { send, socket } of readers) {
        socket.pause();
        send(headOf({ path, key: on.key, headers: ['Accept: text/csv'] }));
      }
      const cut = new RegExp(`route="getUsage",method="GET",status="499"} ${READERS}\n`);
      await eventually('all are cut off', async () => cut.test(await on.api.services.metrics.text()));
      const next = await on.call({
        path: `/v1/usage?meter=calls&subject=acme&${range('2026-01-02T00:00:00Z')}`,
        headers: { accept: 'text/csv' },
      });
      expect(next.status).to.equal(200);
      expect(next.text.trimEnd().split('\n')).to.have.length(1 + 24 * 60);
      for (const { socket } of readers) socket.resume();
      for (const { closed } of readers)
        expect(await closed, 'never looks whole').not.to.match(/\r\n0\r\n\r\n$/);
    }));
});
