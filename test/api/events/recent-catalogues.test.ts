import { expect } from 'chai';
import { CATALOGUE_TRUST_MICROS, createRecentCatalogues } from '#api/events/recent-catalogues.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putEventType } from '#infra/catalogue/event-types.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { openTemporary } from '#test/infra/database/sqlite/temporary.ts';

const NAMESPACE = 'default';

interface World {
  readonly recent: ReturnType<typeof createRecentCatalogues>;
  readonly catalogues: ReturnType<typeof createCatalogues>;
  readonly database: Database;
  now: number;
  state: 'up' | 'down' | 'silent';
  /** Reads of the database so far. */
  reads: number;
}

async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  const { database, close } = await openTemporary(CATALOGUE_TABLES);
  const read: Database['read'] = async (...asked) => {
    world.reads++;
    if (world.state === 'down') throw new StoreFailure('down');
    if (world.state === 'silent') return new Promise<never>(() => undefined);
    return database.read(...asked);
  };
  const faulty: Database = { ...database, read };
  const catalogues = createCatalogues(faulty);
  const scheduler = {
    now: () => world.now,
    sleep: () => (world.state === 'silent' ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const recent = createRecentCatalogues({ database: faulty, catalogues, scheduler });
  const world: World = { recent, catalogues, database, now: 1_000_000_000, state: 'up', reads: 0 };
  try {
    await test(world);
  } finally {
    await close();
  }
}

const change = async ({ database }: World, enforce: 'reject' | 'report'): Promise<void> =>
  void (await database.transact((tx) =>
    putEventType(tx, { namespace: NAMESPACE, type: 't', schema: { type: 'object' }, enforce }),
  ));

const versionOf = async ({ recent }: World): Promise<number | undefined> =>
  (await recent.get(NAMESPACE))?.row.version;

describe('the catalogue that events are judged by before they are published', () => {
  it('is read once for many requests, and soon again', () =>
    inWorld(async (world) => {
      await Promise.all([versionOf(world), versionOf(world)]);
      const { reads } = world;
      expect(await versionOf(world)).to.equal(0);
      expect(world.reads).to.equal(reads);
      world.now += 3 * MICROS_PER_SECOND;
      await versionOf(world);
      expect(world.reads, 'looked at beside the request').to.be.greaterThan(reads);
    }));

  it('is at most some seconds old, whoever changed it, and never older than a change of this process', () =>
    inWorld(async (world) => {
      expect(await versionOf(world)).to.equal(0);
      await change(world, 'reject');
      world.now += CATALOGUE_TRUST_MICROS;
      expect(await versionOf(world), 'changed by another process').to.equal(1);
      await change(world, 'report');
      world.catalogues.forget(NAMESPACE);
      expect(await versionOf(world), 'changed by this process').to.equal(2);
    }));

  it('is trusted for some seconds while the database is down, and then judges nothing', () =>
    inWorld(async (world) => {
      await change(world, 'reject');
      expect(await versionOf(world)).to.equal(1);
      world.state = 'down';
      world.now += CATALOGUE_TRUST_MICROS - 1;
      expect(await versionOf(world)).to.equal(1);
      world.now += 1;
      expect(await versionOf(world)).to.equal(undefined);
      const { reads } = world;
      expect(await versionOf(world)).to.equal(undefined);
      expect(world.reads, 'the database is not asked by every request').to.equal(reads);
      world.state = 'up';
      world.now += MICROS_PER_SECOND;
      expect(await versionOf(world)).to.equal(1);
    }));

  it('holds up no request when the database does not answer', () =>
    inWorld(async (world) => {
      world.state = 'silent';
      expect(await versionOf(world)).to.equal(undefined);
      const { reads } = world;
      expect(await versionOf(world), 'without waiting').to.equal(undefined);
      expect(world.reads).to.equal(reads);
      world.state = 'up';
      world.now += MICROS_PER_SECOND;
      expect(await versionOf(world)).to.equal(0);
    }));

  it('judges nothing with a clock that was set back', () =>
    inWorld(async (world) => {
      expect(await versionOf(world)).to.equal(0);
      world.state = 'down';
      world.now -= CATALOGUE_TRUST_MICROS;
      expect(await versionOf(world)).to.equal(undefined);
    }));
});
