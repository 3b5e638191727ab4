import { expect } from 'chai';
import { auditEntry } from '#infra/audit/tables.ts';
import { whatViewLacks } from '#infra/backfill/view-completeness.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { appendParkedRows, listParked, ParkedAppendNotFound } from '#infra/usage/append-parked.ts';
import { appendParked, watermark } from '#infra/usage/tables.ts';
import { RowRefused } from '#infra/warehouse/errors.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { inLocalDirectory, NAMESPACE, openStores } from '#test/support/local-stores.ts';

const TIME = '2026-03-10T12:00:00Z';
const identityOf = (id: number): string => String.fromCharCode(...Array.from({ length: 16 }, () => id));
const hexOf = (identity: string): string => Buffer.from(identity, 'latin1').toString('hex');
const ORIGIN = { principal: 'test', reason: 'a test', now: 1 };

async function park({ database }: LocalStores, id: number, namespace: string = NAMESPACE): Promise<void> {
  const identity = identityOf(id);
  const row = {
    ...{ identity: hexOf(identity), digest: hexOf(identity), outcome: 'accepted', namespace, id: `e-${id}` },
    ...{
      source: 'urn:test',
      type: 'use',
      subject: `s-${id % 2}`,
      time: TIME,
      data: '{"v":1}',
      attributes: null,
    },
    ...{ published_at: TIME, committed_at: TIME, catalogue_version: 1, matched_meters: [] },
  };
  const parked = {
    identity,
    namespace,
    subject: `s-${id % 2}`,
    row,
    error: 'too_long',
    parkedAt: commitTimestamp,
  };
  await database.transact(async (tx) => tx.upsert(appendParked, parked));
}

const scene = (test: (stores: LocalStores) => Promise<void>) => () =>
  inLocalDirectory(async (directory, { defer }) => {
    const stores = await openStores(directory);
    defer(() => stores.close());
    for (const id of [1, 2, 3]) await park(stores, id);
    await park(stores, 4, 'other');
    await test(stores);
  });

const idsOf = async ({ database }: LocalStores, namespace: string): Promise<string[]> =>
  (await listParked(database, namespace, { limit: 10 })).map(({ row }) => String(row['id']));

describe('parked appends', () => {
  it(
    'are listed by subject, page by page, of their own namespace only',
    scene(async (stores) => {
      expect(await idsOf(stores, NAMESPACE)).to.deep.equal(['e-2', 'e-1', 'e-3']);
      const [first] = await listParked(stores.database, NAMESPACE, { limit: 1 });
      const rest = await listParked(stores.database, NAMESPACE, { after: first, limit: 10 });
      expect(rest.map(({ row }) => row['id'])).to.deep.equal(['e-1', 'e-3']);
    }),
  );

  it(
    'are in the warehouse once it takes them, are parked no longer, and leave an audit entry each',
    scene(async (stores) => {
      const appended = await appendParkedRows(stores, {
        namespace: NAMESPACE,
        identities: [identityOf(1)],
        origin: ORIGIN,
      });
      expect(appended).to.deep.equal({ appended: 1, refused: [] });
      expect(await appendParkedRows(stores, { namespace: NAMESPACE, origin: ORIGIN })).to.deep.equal({
        appended: 2,
        refused: [],
      });
      expect([await idsOf(stores, NAMESPACE), await idsOf(stores, 'other')]).to.deep.equal([[], ['e-4']]);
      const range = { from: '2026-03-10T00:00:00Z', to: '2026-03-11T00:00:00Z' };
      const shown = await Array.fromAsync(
        stores.warehouse.query('events_exact', { namespace: NAMESPACE, ...range }),
      );
      expect(shown.map(({ id }) => id).sort()).to.deep.equal(['e-1', 'e-2', 'e-3']);
      const entries = await Array.fromAsync(stores.database.scan(auditEntry, { prefix: [NAMESPACE] }));
      expect(entries.map(({ action }) => action)).to.deep.equal(Array(3).fill('parked_append.append'));
    }),
  );

  it(
    'stay parked while they are refused, and keep nothing else from being appended',
    scene(async (stores) => {
      const warehouse: Pick<Warehouse, 'append'> = {
        append: async (table, rows) => {
          if (rows[0]?.['id'] === 'e-1') throw new RowRefused({ table, rowIndex: 0 }, 'too_long', 'still');
          await stores.warehouse.append(table, rows);
        },
      };
      const { appended, refused } = await appendParkedRows(
        { ...stores, warehouse },
        { namespace: NAMESPACE, origin: ORIGIN },
      );
      expect([appended, refused.map(({ identity }) => identity)]).to.deep.equal([2, [identityOf(1)]]);
      expect(await idsOf(stores, NAMESPACE)).to.deep.equal(['e-1']);
    }),
  );

  it(
    'of another namespace, or none, are not found',
    scene(async (stores) => {
      const failure = await appendParkedRows(stores, {
        namespace: NAMESPACE,
        identities: [identityOf(4)],
        origin: ORIGIN,
      }).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(ParkedAppendNotFound);
    }),
  );

  it(
    'keep the exact view from being complete',
    scene(async (stores) => {
      const feed = {
        feed: 'usage',
        worker: 'test',
        namespace: null,
        committedThrough: 100,
        heartbeatAt: 100,
        latenessMicros: 0,
      };
      await stores.database.transact(async (tx) => tx.upsert(watermark, feed));
      expect(await whatViewLacks(stores.database, NAMESPACE, 100)).to.equal('watermark');
      expect(await whatViewLacks(stores.database, NAMESPACE, 99)).to.equal('parked');
      await appendParkedRows(stores, { namespace: NAMESPACE, origin: ORIGIN });
      expect(await whatViewLacks(stores.database, NAMESPACE, 99)).to.equal(undefined);
    }),
  );
});
