import { expect } from 'chai';
import { hashKeySecret } from '#domain/access/key-secret.ts';
import { SCOPES } from '#domain/access/scope.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import { API_KEYS_PER_NAMESPACE_MAX } from '#domain/limits.ts';
import {
  createApiKey,
  getApiKey,
  hasValidApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  type CreatedApiKey,
  type NewApiKey,
} from '#infra/access/api-keys.ts';
import { AccessError } from '#infra/access/errors.ts';
import { ACCESS_TABLES, apiKey } from '#infra/access/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { UnknownOutcome } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { SIMULATION_START, simulateSeeds } from '#test/support/simulation.ts';

const NOW = SIMULATION_START;
const NAMESPACE = 'default';

const create = async (database: Database, wanted: Partial<NewApiKey> = {}): Promise<CreatedApiKey> => {
  const asked = { namespace: NAMESPACE, name: 'ingest', scopes: ['events:write'], now: NOW, ...wanted };
  return (await database.transact((tx) => createApiKey(tx, asked))).result;
};
const rotate = async (database: Database, id: string, overlapMicros?: number, now = NOW) =>
  (
    await database.transact((tx) =>
      rotateApiKey(tx, {
        namespace: NAMESPACE,
        id,
        now,
        ...(overlapMicros === undefined ? {} : { overlapMicros }),
      }),
    )
  ).result;
const revoke = async (database: Database, id: string, now = NOW) =>
  (await database.transact((tx) => revokeApiKey(tx, { namespace: NAMESPACE, id, now }))).result;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(promise);
  expect(error).to.be.instanceOf(AccessError);
  return (error as AccessError).code;
}

describe('API keys', () => {
  onBothDrivers(ACCESS_TABLES, (test) => {
    test('tell their secret once and keep only its hash', async (database) => {
      const { key, secret } = await create(database, { scopes: [...SCOPES] });
      const rows = await Array.fromAsync(database.scan(apiKey, { prefix: [] }));
      expect(rows).to.deep.equal([{ ...key, hash: hashKeySecret(secret) }]);
      expect(JSON.stringify(rows)).not.to.include(secret);
      expect(await getApiKey(database, NAMESPACE, key.id)).to.deep.equal(key);
      expect(key).to.include({ prefix: secret.slice(0, 12), createdAt: NOW, expiresAt: null });
    });

    test('name everything that is wrong with them at once', async (database) => {
      const wanted = { name: '', scopes: ['admin', 'root', 'admin'], expiresAt: NOW };
      const error = await rejectionOf(create(database, wanted));
      expect(
        (error as AccessError).violations.map(({ pointer, code }) => `${pointer} ${code}`),
      ).to.deep.equal([
        '/name empty',
        '/scopes/1 unknown_scope',
        '/scopes/2 duplicate',
        '/expiresAt in_the_past',
      ]);
      expect(await codeOf(create(database, { scopes: [] }))).to.equal('invalid_api_key');
    });

    test('are listed in the order they were made, by pages, and to their own namespace only', async (database) => {
      const made: string[] = [];
      for (let ms = 0; ms < 5; ms++) made.push((await create(database, { now: NOW + ms * 1_000 })).key.id);
      await create(database, { namespace: 'other' });
      const first = await listApiKeys(database, NAMESPACE, { limit: 3 });
      const rest = await listApiKeys(database, NAMESPACE, { limit: 3, after: first.at(-1)!.id });
      expect([...first, ...rest].map(({ id }) => id)).to.deep.equal(made);
      expect(await codeOf(revoke(database, 'none'))).to.equal('api_key_not_found');
    });

    test('are rotated with an overlap in which both are valid, as long as the old one would have been', async (database) => {
      const { key } = await create(database, { expiresAt: NOW + 30 * MICROS_PER_DAY });
      const { key: next, replaced } = await rotate(database, key.id);
      expect(replaced).to.include({ replacedBy: next.id, expiresAt: NOW + MICROS_PER_DAY });
      expect(next).to.include({ name: key.name, expiresAt: key.expiresAt, replacedBy: null });
      expect(next.scopes).to.deep.equal(key.scopes);
      expect(await codeOf(rotate(database, key.id))).to.equal('api_key_replaced');
      const { replaced: nearEnd } = await rotate(
        database,
        next.id,
        MICROS_PER_HOUR,
        NOW + 30 * MICROS_PER_DAY - 1,
      );
      expect(nearEnd.expiresAt).to.equal(NOW + 30 * MICROS_PER_DAY);
    });

    test('are rotated without an overlap when that is asked for, and not by one that has ended', async (database) => {
      const { key } = await create(database);
      const { replaced } = await rotate(database, key.id, 0);
      expect(replaced.expiresAt).to.equal(NOW);
      expect(await codeOf(rotate(database, key.id, 0))).to.equal('api_key_ended');
      expect(await codeOf(rotate(database, replaced.replacedBy!, -1))).to.equal('invalid_api_key');
    });

    test('are revoked from now on, and revoking again changes nothing', async (database) => {
      const { key } = await create(database);
      expect(await hasValidApiKey(database, NAMESPACE, NOW)).to.equal(true);
      const revoked = await revoke(database, key.id, NOW + 5);
      expect(revoked).to.include({ revokedAt: NOW + 5, expiresAt: NOW + 5 });
      expect(await revoke(database, key.id, NOW + 9)).to.deep.equal(revoked);
      expect(await hasValidApiKey(database, NAMESPACE, NOW + 5)).to.equal(false);
    });

    test('are at most 256 in a namespace, counting only those that are valid; a full namespace can still rotate', async (database) => {
      const ids: string[] = [];
      for (let made = 0; made < API_KEYS_PER_NAMESPACE_MAX; made++) ids.push((await create(database)).key.id);
      expect(await codeOf(create(database))).to.equal('too_many_api_keys');
      await create(database, { namespace: 'other' });
      await rotate(database, ids[0]!);
      expect(await codeOf(create(database))).to.equal('too_many_api_keys');
      await revoke(database, ids[1]!);
      await create(database, { now: NOW + 1 });
    });
  });

  it('stay within the limit when many are made at the same moment', () =>
    simulateSeeds(25, async (sim) => {
      const database = openHostile({ tables: ACCESS_TABLES, schedule: sim, faults: noFaults });
      // All but a few places are taken, since only the last ones matter.
      const free = 3;
      await database.transact(async (tx) => {
        for (let id = 0; id < API_KEYS_PER_NAMESPACE_MAX - free; id++)
          tx.insert(apiKey, { ...row, id: `k-${id}`, hash: `h-${id}` });
      });
      database.setFaults(commonFaults);
      const taken = database.rows(apiKey).length;
      const callers = Array.from({ length: 8 }, (_, caller) =>
        sim.spawn(`caller-${caller}`, () => rejectionOf(create(database))),
      );
      const errors = await Promise.all(callers);
      await sim.sleep(1_000_000);
      const keys = database.rows(apiKey).length;
      expect(keys).to.be.at.most(API_KEYS_PER_NAMESPACE_MAX);
      const known = errors.filter((error) => error === undefined).length;
      expect(keys - taken).to.be.at.least(known);
      for (const error of errors)
        if (error !== undefined && !(error instanceof UnknownOutcome))
          expect(error).to.have.property('code', 'too_many_api_keys');
    }));
});

const row = {
  namespace: NAMESPACE,
  name: 'full',
  prefix: 'mr_live_AAAA',
  scopes: ['admin'] as const,
  createdAt: NOW,
  expiresAt: null,
  revokedAt: null,
  replacedBy: null,
};
