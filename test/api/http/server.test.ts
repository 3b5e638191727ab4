import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { z } from 'zod';
import { json, stream } from '#api/http/answer.ts';
import { createApp } from '#api/http/app.ts';
import { listen, type ListeningServer } from '#api/http/server.ts';
import { openRoute, type Route } from '#api/http/route.ts';
import { createDrain } from '#api/http/drain.ts';
import { createMetrics } from '#api/http/metrics.ts';
import type { Services } from '#api/services.ts';
import { systemScheduler } from '#infra/scheduler.ts';

/** Only what the HTTP layer itself uses: routes of these tests ask for no store. */
const services = (): Services =>
  ({
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    drain: createDrain(),
    scheduler: systemScheduler,
  }) as unknown as Services;

async function serving(
  routes: readonly Route[],
  test: (server: ListeningServer) => Promise<void>,
  graceMs = 5_000,
) {
  const made = services();
  const server = await listen({
    app: createApp(made, routes),
    drain: made.drain,
    host: '127.0.0.1',
    port: 0,
    graceMs,
  });
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

const described = { tag: 'test', summary: 'test' } as const;

/** A request that is answered when the test says so. */
function heldRoute() {
  const started = Promise.withResolvers<AbortSignal>();
  const finish = Promise.withResolvers<undefined>();
  const held = openRoute({
    ...described,
    method: 'get',
    path: '/held',
    name: 'held',
    answers: { 200: { description: 'done', json: z.object({ done: z.boolean() }) } },
    handle: async (_services, { signal }) => {
      started.resolve(signal());
      await finish.promise;
      return json(200, { done: true });
    },
  });
  return { held, started: started.promise, finish: () => finish.resolve(undefined) };
}

async function open(server: ListeningServer, path: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

describe('a server that is told to stop', () => {
  it('answers the requests in hand, and takes no new ones', async () => {
    const { held, started, finish } = heldRoute();
    await serving([held], async (server) => {
      const answered = fetch(`${server.url}/held`);
      await started;
      const closing = server.close();
      const refused = await fetch(`${server.url}/held`).then(
        () => false,
        () => true,
      );
      expect(refused, 'a new connection is refused').to.be.true;
      finish();
      expect(await (await answered).json()).to.deep.equal({ done: true });
      await closing;
    });
  });

  it('cuts what is not answered within its grace', async () => {
    const { held, started, finish } = heldRoute();
    await serving(
      [held],
      async (server) => {
        const answered = fetch(`${server.url}/held`).then(
          () => 'answered',
          () => 'cut',
        );
        const signal = await started;
        await server.close();
        expect(await answered).to.equal('cut');
        expect(signal.aborted).to.be.true;
        finish();
      },
      10,
    );
  });
});

describe('a client that goes away', () => {
  it('aborts the work for it', async () => {
    const { held, started, finish } = heldRoute();
    await serving([held], async (server) => {
      const socket = await open(server, '/held');
      const signal = await started;
      const aborted = once(signal, 'abort');
      socket.destroy();
      await aborted;
      finish();
    });
  });

  it('ends the reading of a stream, and a slow one holds it back', async () => {
    const ended = Promise.withResolvers<number>();
    async function* chunks(): AsyncGenerator<string> {
      let count = 0;
      try {
        for (; ; count++) yield 'x'.repeat(64 * 1_024);
      } finally {
        ended.resolve(count);
      }
    }
    const endless = openRoute({
      ...described,
      method: 'get',
      path: '/endless',
      name: 'endless',
      answers: { 200: { description: 'text', mediaTypes: ['text/plain'] } },
      handle: () => stream(200, 'text/plain', chunks()),
    });
    await serving([endless], async (server) => {
      const socket = await open(server, '/endless');
      await once(socket, 'data');
      socket.pause();
      // The reader reads no more: had the writer not waited, it would never come to an end.
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      expect(await ended.promise).to.be.below(10_000);
    });
  });
});

describe('an error inside a route', () => {
  it('is answered without its words, which stay in the log', async () => {
    const failing = openRoute({
      ...described,
      method: 'get',
      path: '/failing',
      name: 'failing',
      answers: { 200: { description: 'never', json: z.object({}) } },
      handle: () => {
        throw new Error('the password is hunter2');
      },
    });
    await serving([failing], async (server) => {
      const answer = await fetch(`${server.url}/failing`);
      expect(answer.status).to.equal(500);
      const text = await answer.text();
      expect(JSON.parse(text)).to.include({ code: 'internal_error', type: '/docs/problems#internal_error' });
      expect(text).not.to.contain('hunter2');
    });
  });
});
