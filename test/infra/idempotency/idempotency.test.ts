import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { column, defineTable } from '#infra/database/table.ts';
import { IdempotencyError } from '#infra/idempotency/errors.ts';
import { createInFlight, runIdempotent, type InFlight } from '#infra/idempotency/run-idempotent.ts';
import { IDEMPOTENCY_TABLES, idempotencyKey } from '#infra/idempotency/tables.ts';
import {
  checkIdempotencyKey,
  hashRequest,
  withIdempotency,
  type IdempotentRequest,
  type KeptAnswer,
  type WorkDone,
} from '#infra/idempotency/with-idempotency.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { SIMULATION_START, simulateSeeds } from '#test/support/simulation.ts';

/** What the requests of these tests change: each time it is done, there is one row more. */
const thing = defineTable('thing', { columns: { id: column('string') }, key: ['id'] });
const TABLES = [...IDEMPOTENCY_TABLES, thing];
const NOW = SIMULATION_START;

const request = (changes: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
  namespace: 'default',
  principal: 'key-1',
  route: 'POST /v1/things',
  key: 'k',
  requestHash: hashRequest('/v1/things', '{"a":1}'),
  now: NOW,
  ...changes,
});

let things = 0;
/** Makes a thing and answers with its id. */
const makeThing = (tx: Transaction): Promise<WorkDone> => {
  const id = `thing-${++things}`;
  tx.insert(thing, { id });
  return Promise.resolve({
    answer: { status: 201, headers: { Location: `/v1/things/${id}` }, body: { id } },
  });
};

const serve = async (database: Database, changes: Partial<IdempotentRequest> = {}, work = makeThing) =>
  (await database.transact((tx) => withIdempotency(tx, request(changes), () => work(tx)))).result;

const countThings = async (database: Database): Promise<number> =>
  (await Array.fromAsync(database.scan(thing, { prefix: [] }))).length;

const noRefusal = (): undefined => undefined;

describe('a request under an idempotency key', () => {
  onBothDrivers(TABLES, (test) => {
    test('is done once, and its repetition gets the first answer as it was', async (database) => {
      const first = await serve(database);
      expect(first.replayed).to.equal(false);
      expect(await serve(database)).to.deep.equal({ replayed: true, answer: first.answer });
      expect(await countThings(database)).to.equal(1);
    });

    test('is refused under a key that came with another request, and nothing changes', async (database) => {
      await serve(database);
      const error = await rejectionOf(serve(database, { requestHash: hashRequest('/v1/things', '{"a":2}') }));
      expect(error).to.be.instanceOf(IdempotencyError);
      expect(error).to.have.property('code', 'idempotency_key_reused');
      expect(await countThings(database)).to.equal(1);
    });

    test('is another one under the key of another namespace, principal or route', async (database) => {
      await serve(database);
      for (const changes of [{ namespace: 'other' }, { principal: 'key-2' }, { route: 'PUT /v1/things' }])
        expect((await serve(database, changes)).replayed).to.equal(false);
      expect(await countThings(database)).to.equal(4);
    });

    test('is new again when its time is over', async (database) => {
      await serve(database);
      expect((await serve(database, { now: NOW + MICROS_PER_DAY - 1 })).replayed).to.equal(true);
      expect((await serve(database, { now: NOW + MICROS_PER_DAY })).replayed).to.equal(false);
      expect((await serve(database, { now: NOW + MICROS_PER_DAY + 1 })).replayed).to.equal(true);
    });

    test('may be tried again after a failure of ours, and after work that threw', async (database) => {
      const failing = (): Promise<WorkDone> =>
        Promise.resolve({ answer: { status: 503, headers: {}, body: null } });
      await serve(database, {}, failing);
      await rejectionOf(serve(database, {}, () => Promise.reject(new Error('in the middle'))));
      expect((await serve(database)).replayed).to.equal(false);
    });

    test('keeps no secret: what is stored of its answer may be less than the answer', async (database) => {
      const answer = { status: 201, headers: {}, body: { id: 'x', secret: 'hush' } };
      const kept = { ...answer, body: { id: 'x', secret: null } };
      const tell = (): Promise<WorkDone> => Promise.resolve({ answer, kept });
      expect((await serve(database, {}, tell)).answer).to.deep.equal(answer);
      expect((await serve(database, {}, tell)).answer).to.deep.equal(kept);
      const rows = await Array.fromAsync(database.scan(idempotencyKey, { prefix: [] }));
      expect(JSON.stringify(rows)).not.to.include('hush');
    });

    test('keeps a refusal by our rules too, in a transaction that changes nothing else', async (database) => {
      const refusal: KeptAnswer = { status: 409, headers: {}, body: { code: 'taken' } };
      const run = (work: (tx: Transaction) => Promise<WorkDone>) =>
        runIdempotent({
          database,
          inFlight: createInFlight(),
          request: request(),
          work,
          refusalOf: (error) => (error instanceof RangeError ? refusal : undefined),
        });
      const refused = async (tx: Transaction): Promise<WorkDone> => {
        await makeThing(tx);
        throw new RangeError('taken');
      };
      expect(await run(refused)).to.deep.equal({ replayed: false, answer: refusal });
      expect(await run(makeThing)).to.deep.equal({ replayed: true, answer: refusal });
      expect(await countThings(database)).to.equal(0);
      expect(await rejectionOf(run(() => Promise.reject(new TypeError('ours'))))).to.equal(undefined);
    });
  });

  it('is refused while its twin is running in this process, and only then', async () => {
    const inFlight: InFlight = createInFlight();
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = inFlight.run(request(), () => promise);
    const error = await rejectionOf(inFlight.run(request(), () => Promise.resolve('second')));
    expect(error).to.have.property('code', 'idempotency_key_in_flight');
    expect(await inFlight.run(request({ key: 'other' }), () => Promise.resolve('other'))).to.equal('other');
    resolve('first');
    expect(await first).to.equal('first');
    await rejectionOf(inFlight.run(request(), () => Promise.reject(new Error('fails'))));
    expect(await inFlight.run(request(), () => Promise.resolve('again'))).to.equal('again');
  });

  it('is done once and answered alike by processes that race for it, whatever the store does', () =>
    simulateSeeds(60, async (sim) => {
      const database = openHostile({ tables: TABLES, schedule: sim, faults: commonFaults });
      const answers = await Promise.all(
        Array.from({ length: 5 }, (_, process) =>
          sim.spawn(`process-${process}`, async () => {
            const inFlight = createInFlight();
            const run = { database, inFlight, request: request(), work: makeThing, refusalOf: noRefusal };
            try {
              return await runIdempotent(run);
            } catch (error) {
              if (!(error instanceof StoreError)) throw error;
              return undefined;
            }
          }),
        ),
      );
      await sim.sleep(1_000_000);
      database.setFaults(noFaults);
      const known = answers.filter((answer) => answer !== undefined);
      const bodies = new Set(known.map(({ answer }) => JSON.stringify(answer)));
      expect(bodies.size).to.be.at.most(1);
      expect(known.filter(({ replayed }) => !replayed).length).to.be.at.most(1);
      expect(database.rows(thing).length).to.equal(database.rows(idempotencyKey).length);
      expect(database.rows(thing).length).to.be.at.most(1);
      if (known.length > 0) expect(database.rows(thing)).to.have.length(1);
    }));

  it('has a key of 1 to 255 printable ASCII characters', () => {
    for (const key of ['a', 'A b~!', 'x'.repeat(255)]) checkIdempotencyKey(key);
    for (const key of ['', 'x'.repeat(256), 'ä', 'a\tb', 'a\u007f'])
      expect(() => checkIdempotencyKey(key), key).to.throw(IdempotencyError);
  });

  it('is told from others by its path and by the bytes of its body', () => {
    expect(hashRequest('/a', 'b')).to.equal(hashRequest('/a', Buffer.from('b')));
    const others = [
      hashRequest('/a', 'b'),
      hashRequest('/ab', ''),
      hashRequest('', '/ab'),
      hashRequest('/b', 'a'),
    ];
    expect(new Set(others).size).to.equal(others.length);
  });
});
