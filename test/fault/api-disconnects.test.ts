import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { idempotencyKey } from '#infra/idempotency/tables.ts';
import { localPaths } from '#infra/local/open-local.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';
import { headOf, openRaw, type RawConnection, type RawRequest } from '#test/support/raw-connection.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { rowsOf } from './agreement.ts';

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_260_302);
const CLIENTS = 40;
const BATCH = 25;

interface Sent extends RawRequest {
  readonly body: string;
}

async function begin(on: TestApi, { body, ...request }: Sent, bytes = body.length): Promise<RawConnection> {
  const connection = await openRaw(on.api.url);
  on.cleanup.defer(async () => connection.cut());
  connection.send(headOf({ key: on.key, contentLength: body.length, ...request }) + body.slice(0, bytes));
  return connection;
}

/** The same request again, until no other under its key is on its way. */
async function repeat(on: TestApi, { method = 'POST', path, body }: Sent, key: string): Promise<ApiAnswer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  let answer = await on.call({ method, path, body, headers });
  await eventually('the first request has come to its end', async () => {
    if (answer.status !== 409) return true;
    answer = await on.call({ method, path, body, headers });
    return false;
  });
  return answer;
}

const batchOf = (name: string): { readonly ids: readonly string[]; readonly body: string } => {
  const ids = Array.from({ length: BATCH }, (_, at) => `${name}-${at}`);
  const events = ids.map((id) => ({ specversion: '1.0', id, source: 's', type: 't', subject: 'acme' }));
  return { ids, body: JSON.stringify(events) };
};

/** How often each event lies in the topic. */
async function published({ stores }: TestApi): Promise<Map<string, number>> {
  const messages = await stores.topics.api.pull(10_000);
  const ids = messages.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { id: string }).id);
  return new Map([...Map.groupBy(ids, (id) => id)].map(([id, all]) => [id, all.length]));
}

describe(`clients that leave in the middle of their request (seed ${SEED})`, () => {
  it('find their change done whole or not at all, and with its first answer when they ask again', () =>
    withApi(async (on) => {
      const draw = seededRandom(SEED);
      const requests = Array.from({ length: CLIENTS }, (_, at) => ({
        key: `key-${at}`,
        sent: {
          method: 'POST',
          path: '/v1/api-keys',
          body: JSON.stringify({ name: `made ${at}`, scopes: ['usage:read'] }),
          headers: [`Idempotency-Key: key-${at}`],
        },
      }));
      // Some leave before their request is whole, the others while it is served.
      for (const { sent } of requests) {
        const length = draw.chance(0.3) ? draw.below(sent.body.length) : sent.body.length;
        const connection = await begin(on, sent, length);
        if (draw.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
        connection.socket.end(() => connection.cut());
      }
      const ids: unknown[] = [];
      for (const { key, sent } of requests) {
        const answer = await repeat(on, sent, key);
        expect(answer.status, answer.text).to.equal(201);
        const again = await repeat(on, sent, key);
        expect(again.headers.get('idempotent-replayed')).to.equal('true');
        const idOf = ({ body }: ApiAnswer): unknown => (body as { id: string }).id;
        expect(idOf(again)).to.equal(idOf(answer));
        ids.push(idOf(answer));
      }
      const { items } = (await on.call({ path: '/v1/api-keys?limit=200' })).body as {
        items: { id: string; name: string }[];
      };
      const made = items.filter(({ name }) => name.startsWith('made '));
      expect(made.map(({ id }) => id)).to.have.members(ids);
    }));

  it('have published all events of their batch or none', () =>
    withApi(async (on) => {
      const draw = seededRandom(SEED);
      const batches = Array.from({ length: CLIENTS }, (_, at) => batchOf(`batch-${at}`));
      for (const { body } of batches) {
        const whole = draw.chance(0.7);
        const sent = { method: 'POST', path: '/v1/events', body };
        const connection = await begin(on, sent, whole ? body.length : draw.below(body.length));
        if (draw.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
        connection.socket.end(() => connection.cut());
      }
      // It ends what it has begun.
      await on.api.close();
      const found = await published(on);
      for (const { ids } of batches) expect(ids.filter((id) => found.has(id)).length).to.be.oneOf([0, BATCH]);
      for (const count of found.values()) expect(count).to.equal(1);
    }));
});

/** Another program holds the database's lock, so that a change waits in its transaction. */
function holdLock(on: TestApi): () => void {
  const other = new DatabaseSync(localPaths(on.directory).database, { timeout: 10_000 });
  on.cleanup.defer(async () => other.close());
  other.exec('BEGIN IMMEDIATE');
  return () => other.exec('ROLLBACK');
}

describe('a server that is told to stop in the middle of requests', () => {
  it('takes the rest of a body within its grace, and does nothing of one that does not come', () =>
    withApi(
      async (on) => {
        const [finished, unfinished] = [batchOf('finished'), batchOf('unfinished')];
        const post = async ({ body }: typeof finished): Promise<RawConnection> => {
          const headers = ['Expect: 100-continue'];
          const client = await begin(on, { method: 'POST', path: '/v1/events', body, headers }, 0);
          await client.hears('100 Continue');
          client.send(body.slice(0, -1));
          return client;
        };
        const [first, second] = [await post(finished), await post(unfinished)];
        const closing = on.api.close();
        first.send(']');
        expect(await first.closed)
          .to.match(/HTTP\/1\.1 202 /)
          .and.to.include(`"accepted":${BATCH}`);
        await closing;
        expect(await second.closed).not.to.include('202');
        expect([...(await published(on)).keys()]).to.have.members(finished.ids);
      },
      { server: { graceMs: 1_000 } },
    ));

  it('ends what it does for clients that have gone, so that their answers are kept', () =>
    withApi(async (on) => {
      const release = holdLock(on);
      // A correction is several transactions: the last one keeps its answer.
      const correction = JSON.stringify({ source: 's', id: 'e-1', reason: 'a mistake' });
      const sent = { method: 'POST', path: '/v1/events/void', body: correction };
      const headers = ['Idempotency-Key: gone', 'Expect: 100-continue'];
      const client = await begin(on, { ...sent, headers }, 0);
      await client.hears('100 Continue');
      client.send(correction);
      const again = { 'content-type': 'application/json', 'idempotency-key': 'gone' };
      await eventually('its request is in hand', async () => {
        const { body } = await on.call({ ...sent, headers: again });
        return (body as { code: string }).code === 'idempotency_key_in_flight';
      });
      client.cut();
      const gone = /route="voidEvent",method="POST",status="499"/;
      await eventually('the client has gone', async () => gone.test(await on.api.services.metrics.text()));
      const closing = on.api.close();
      release();
      await closing;
      const kept = await rowsOf(on.stores.database, idempotencyKey);
      expect(kept.map(({ key, status }) => [key, status])).to.deep.equal([['gone', 200]]);
      expect(JSON.parse(kept[0]?.body ?? '')).to.include({ outcome: 'ahead' });
    }));

  it('cuts a long answer that nobody reads, which then does not look whole', () =>
    withApi(
      async (on) => {
        const meter = { name: 'Calls', eventType: 'call', aggregation: 'count' };
        expect((await on.call({ method: 'PUT', path: '/v1/meters/calls', body: meter })).status).to.equal(
          201,
        );
        const range = 'from=2026-01-01T00:00:00Z&to=2027-06-01T00:00:00Z&window=minute';
        const reader = await openRaw(on.api.url);
        const path = `/v1/usage?meter=calls&subject=acme&${range}`;
        reader.send(headOf({ path, key: on.key, headers: ['Accept: text/csv'] }));
        await reader.hears('from,to,value');
        reader.socket.pause();
        await on.api.close();
        reader.socket.resume();
        expect(await reader.closed)
          .to.match(/^HTTP\/1\.1 200 /)
          .and.not.to.match(/\r\n0\r\n\r\n$/);
      },
      { server: { graceMs: 200 } },
    ));
});
