import { expect } from 'chai';
import { formatKeySecret } from '#domain/access/key-secret.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { createApiKey, revokeApiKey, type CreatedApiKey } from '#infra/access/api-keys.ts';
import {
  createKeyRing,
  KEY_REFRESH_MICROS,
  KEY_TRUST_MICROS,
  UNKNOWN_KEY_MICROS,
} from '#infra/access/key-ring.ts';
import { ACCESS_TABLES, apiKey } from '#infra/access/tables.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { rejectionOf } from '#test/support/both-drivers.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START, simulateSeeds } from '#test/support/simulation.ts';

const NOW = SIMULATION_START;
const DOWN_MICROS = 1_000_000_000;

/** A store whose clock stands still, so that it is down until it is told otherwise; every look-up is counted. */
function open(): { database: HostileDatabase; lookUps: () => number } {
  let lookUps = 0;
  const point = (label: string): Promise<void> => {
    if (label.startsWith('scan api_key')) lookUps++;
    return Promise.resolve();
  };
  const schedule = { point, random: seededRandom(1).next, now: () => NOW };
  return {
    database: openHostile({ tables: ACCESS_TABLES, schedule, faults: noFaults }),
    lookUps: () => lookUps,
  };
}

const create = async (database: HostileDatabase, expiresAt: number | null = null): Promise<CreatedApiKey> => {
  const wanted = { namespace: 'default', name: 'ingest', scopes: ['events:write'], expiresAt, now: NOW };
  return (await database.transact((tx) => createApiKey(tx, wanted))).result;
};
const revoke = (database: HostileDatabase, id: string, now: number) =>
  database.transact((tx) => revokeApiKey(tx, { namespace: 'default', id, now }));
/** All that was begun beside the requests has come to its end. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a key ring', () => {
  it('tells from a secret who asks, in which namespace, and what the key may do', async () => {
    const { database } = open();
    const { key, secret } = await create(database);
    expect(await createKeyRing(database).authenticate(secret, NOW)).to.deep.equal({
      keyId: key.id,
      name: 'ingest',
      namespace: 'default',
      scopes: ['events:write'],
    });
  });

  it('asks no store about what cannot be a secret, and about an unknown one not again for a while', async () => {
    const { database, lookUps } = open();
    const ring = createKeyRing(database);
    for (const text of ['', 'mr_live_', 'x'.repeat(57), `mr_live_${'A'.repeat(49)}`])
      expect(await ring.authenticate(text, NOW)).to.equal(undefined);
    expect(lookUps()).to.equal(0);
    const unknown = formatKeySecret(new Uint8Array(32).fill(7));
    for (const at of [0, 1, UNKNOWN_KEY_MICROS - 1])
      expect(await ring.authenticate(unknown, NOW + at)).to.equal(undefined);
    expect(lookUps()).to.equal(1);
    await ring.authenticate(unknown, NOW + UNKNOWN_KEY_MICROS);
    expect(lookUps()).to.equal(2);
  });

  it('lets no key in from its expiry on, however fresh it is', async () => {
    const { database } = open();
    const { secret } = await create(database, NOW + 10);
    const ring = createKeyRing(database);
    expect(await ring.authenticate(secret, NOW + 9)).to.have.property('name', 'ingest');
    expect(await ring.authenticate(secret, NOW + 10)).to.equal(undefined);
  });

  it('lets keys in that were used within a minute while the database is down, and then says that it does not know', async () => {
    const { database } = open();
    const { secret } = await create(database);
    const ring = createKeyRing(database);
    await ring.authenticate(secret, NOW);
    database.failFor(DOWN_MICROS);
    for (const at of [1, KEY_REFRESH_MICROS, KEY_TRUST_MICROS - 1]) {
      expect(await ring.authenticate(secret, NOW + at)).to.have.property('name', 'ingest');
      await settled();
    }
    expect(
      await rejectionOf(Promise.resolve(ring.authenticate(secret, NOW + KEY_TRUST_MICROS))),
    ).to.be.instanceOf(StoreFailure);
    database.failFor(0);
    expect(await ring.authenticate(secret, NOW + KEY_TRUST_MICROS)).to.have.property('name', 'ingest');
  });

  it('is refreshed beside the requests, so that an outage finds the keys in use fresh', async () => {
    const { database } = open();
    const { secret } = await create(database);
    const ring = createKeyRing(database);
    await ring.authenticate(secret, NOW);
    await ring.authenticate(secret, NOW + KEY_REFRESH_MICROS);
    await settled();
    database.failFor(DOWN_MICROS);
    const later = NOW + KEY_REFRESH_MICROS + KEY_TRUST_MICROS - 1;
    expect(await ring.authenticate(secret, later)).to.have.property('name', 'ingest');
  });

  it('drops a revoked key at once where that is told, and elsewhere within a minute', async () => {
    const { database } = open();
    const { key, secret } = await create(database);
    const [own, other] = [createKeyRing(database), createKeyRing(database)];
    await Promise.all([own.authenticate(secret, NOW), other.authenticate(secret, NOW)]);
    await revoke(database, key.id, NOW + 1);
    own.forget(key.id);
    expect(await own.authenticate(secret, NOW + 2)).to.equal(undefined);
    expect(await other.authenticate(secret, NOW + KEY_TRUST_MICROS)).to.equal(undefined);
  });

  it('never lets a revoked key in again in its own process, whatever look-ups were under way', () =>
    simulateSeeds(40, async (sim) => {
      const database = openHostile({
        tables: ACCESS_TABLES,
        schedule: sim,
        faults: { ...noFaults, delay: 0.6 },
      });
      const { key, secret } = await create(database);
      const ring = createKeyRing(database);
      let revoked = false;
      const callers = Array.from({ length: 4 }, (_, caller) =>
        sim.spawn(`caller-${caller}`, async () => {
          for (let asked = 0; asked < 6; asked++) {
            const before = revoked;
            const principal = await ring.authenticate(secret, sim.now());
            if (before) expect(principal, 'asked after the revocation').to.equal(undefined);
            await sim.sleep(sim.draw.below(3 * KEY_REFRESH_MICROS));
          }
        }),
      );
      await sim.sleep(sim.draw.below(20 * MICROS_PER_SECOND));
      await revoke(database, key.id, sim.now());
      ring.forget(key.id);
      revoked = true;
      await Promise.all(callers);
      expect(database.rows(apiKey)).to.have.length(1);
    }));
});
