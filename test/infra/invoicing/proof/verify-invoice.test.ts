import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Difference } from '#domain/invoicing/compare-contents.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { readLateUsage, type LateUsage } from '#infra/invoicing/late-usage.ts';
import { verifyInvoice } from '#infra/invoicing/proof/verify-invoice.ts';
import type { StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { invoice, invoiceContent, invoiceInput } from '#infra/invoicing/tables.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import {
  billingWorld,
  feeCharge,
  NAMESPACE,
  planOf,
  TOKENS,
  tokensCharge,
  type BillingWorld,
} from '../billing-world.ts';

/** A meter for each way in which usage is measured for a price. */
const METERS: Readonly<Record<string, MeterDefinition>> = {
  tokens: TOKENS,
  calls: { name: 'Calls', eventType: 'use', aggregation: 'count', dimensions: { model: 'm' } },
  users: { name: 'Users', eventType: 'use', aggregation: 'unique', value: 'u' },
  seats: { name: 'Seats', eventType: 'use', aggregation: 'timeWeightedSum', value: 'v' },
};

const PLAN = planOf([
  feeCharge('20'),
  tokensCharge('0.01'),
  {
    key: 'calls',
    name: 'Calls',
    meter: 'calls',
    price: {
      model: 'matrix',
      dimensions: ['model'],
      cells: [{ match: { model: 'm1' }, unitPrice: '1' }],
      defaultUnitPrice: '2',
    },
  },
  { key: 'users', name: 'Users', meter: 'users', price: { model: 'perUnit', unitPrice: '3' } },
  { key: 'seats', name: 'Seats', meter: 'seats', price: { model: 'perUnit', unitPrice: '5' } },
  {
    key: 'volume',
    name: 'Volume',
    meter: 'tokens',
    price: { model: 'percentage', percent: '10', feePerEvent: '0.5', minimumPerEvent: '1' },
  },
]);

interface Scene {
  readonly world: BillingWorld;
  /** Where the segment files of the warehouse are. */
  readonly segments: string;
  readonly compact: () => Promise<unknown>;
}

/** A customer with usage from January on, all of which is billed through January. */
async function inScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
  const clock = { now: instant('2026-01-01T00:00:00Z') };
  const stores = await openLocal({ directory, clock: () => clock.now });
  try {
    const world = billingWorld(stores.database, stores.warehouse, '2026-01-01T00:00:00Z');
    for (const [key, definition] of Object.entries(METERS)) await world.meter(key, definition);
    await world.customer('acme', { subjects: ['acme', 'acme-2'] });
    await world.plan('pro', PLAN);
    await world.subscribe('acme', {
      plan: 'pro',
      startAt: instant('2026-01-01T00:00:00Z'),
      anchor: 'calendar',
    });
    await world.use('acme', '2026-01-05T10:00:00Z', 100, { m: 'm1', u: 'ann' });
    await world.use('acme-2', '2026-01-05T10:00:00Z', 7, { m: 'm2', u: 'ben' });
    await world.use('acme', '2026-01-20T23:59:59Z', 3, { m: 'm1', u: 'ben' });
    await bill(world, '2026-02-02T00:00:00Z');
    await test({ world, segments: join(directory, 'warehouse'), compact: () => stores.warehouse.compact() });
  } finally {
    await stores.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function bill(world: BillingWorld, time: string): Promise<void> {
  await world.reach(time);
  await world.run();
}

/** The last of the customer's invoices. */
async function last(world: BillingWorld): Promise<StoredInvoice> {
  const found = (await world.invoices('acme')).at(-1);
  if (found === undefined) throw new Error('nothing was billed');
  return found;
}

const verify = async ({ world }: Scene, { row }: StoredInvoice) =>
  verifyInvoice(world, { namespace: NAMESPACE, id: row.id });

/** Rewrites the segment files as somebody might who has them; the manifest knows nothing of it. */
async function tamper({ segments }: Scene, change: (text: string) => string): Promise<void> {
  let changed = 0;
  for (const file of await readdir(segments)) {
    const text = await readFile(join(segments, file), 'utf8');
    if (change(text) === text) continue;
    changed++;
    await writeFile(join(segments, file), change(text));
  }
  expect(changed).to.be.above(0);
}

/** By the charge of a line and its group, what of it differs. */
async function differing(
  scene: Scene,
  stored: StoredInvoice,
): Promise<Record<string, readonly Difference[]>> {
  const { equal, lines } = await verify(scene, stored);
  expect(equal).to.equal(false);
  return Object.fromEntries(
    lines
      .filter((line) => !line.equal)
      .map(({ line, differences }) => {
        const { charge, dimensions } = stored.content.lines.find(({ id }) => id === line) ?? {};
        return [`${charge} ${Object.values(dimensions ?? {}).join()}`.trim(), differences];
      }),
  );
}

const whatOf = (found: Record<string, readonly Difference[]>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(found).map(([line, all]) => [line, all.map(({ what }) => what)]));

/** Takes the earliest event back. */
async function voidFirst(world: BillingWorld): Promise<void> {
  const day = { from: '2026-01-05T00:00:00Z', to: '2026-01-06T00:00:00Z', subjects: ['acme'] };
  const rows = await Array.fromAsync(world.warehouse.query('events_exact', { namespace: NAMESPACE, ...day }));
  const name = { namespace: NAMESPACE, source: 'urn:svc:test', id: String(rows[0]?.['id']) };
  expect(await voidEvent({ ...world, slot: 0, clock: () => world.clock.now }, name)).to.equal('voided');
}

const late = async ({ world }: Scene, { row }: StoredInvoice): Promise<Record<string, string>> => {
  const [now] = await Array.fromAsync(world.database.scan(invoice, { prefix: [NAMESPACE, row.id] }));
  const found = await readLateUsage(world, { row: now ?? row, now: world.clock.now });
  return Object.fromEntries((found ?? []).map(({ charge, delta }: LateUsage) => [charge, delta]));
};

describe('an invoice that is verified', () => {
  it('is equal when nothing has changed: usage of every kind, fingerprints, roots, amounts and hashes', () =>
    inScene(async (scene) => {
      const stored = await last(scene.world);
      expect(stored.row.state).to.equal('issued');
      const measured = stored.content.lines.filter(({ usage }) => usage !== null);
      expect(Object.keys(stored.row.merkleRoots).sort()).to.deep.equal(measured.map(({ id }) => id).sort());
      expect(measured.map(({ charge, quantity }) => `${charge} ${quantity}`)).to.include.members([
        'tokens 110',
        'users 2',
      ]);
      const verified = await verify(scene, stored);
      expect(verified).to.include({ equal: true, invoice: stored.row.id });
      expect(verified.lines.map(({ line }) => line)).to.deep.equal(stored.content.lines.map(({ id }) => id));
    }));

  it('stays equal through compaction, further usage and voids, as of the commit that it was collected at', () =>
    inScene(async (scene) => {
      const { world } = scene;
      const stored = await last(world);
      await world.use('acme', '2026-01-31T12:00:00Z', 1_000, { m: 'm3', u: 'eve' });
      await voidFirst(world);
      await scene.compact();
      expect((await verify(scene, stored)).equal).to.equal(true);
    }));

  it('tells which lines a changed value is behind, and what of them it changes', () =>
    inScene(async (scene) => {
      const stored = await last(scene.world);
      await tamper(scene, (text) => text.replace('"v":"100"', '"v":"101"'));
      const found = await differing(scene, stored);
      expect(whatOf(found)).to.deep.equal({
        tokens: ['quantity', 'amount', 'merkleRoot'],
        seats: ['quantity', 'amount', 'merkleRoot'],
        volume: ['quantity', 'amount', 'merkleRoot'],
      });
      expect(found['tokens']?.slice(0, 2)).to.deep.equal([
        { what: 'quantity', stored: '110', recomputed: '111' },
        { what: 'amount', stored: '1.1', recomputed: '1.11' },
      ]);
    }));

  it('tells it of a changed group, and of an event that is gone', () =>
    inScene(async (scene) => {
      const stored = await last(scene.world);
      await tamper(scene, (text) => text.replace('"m":"m2"', '"m":"m1"'));
      const moved = await differing(scene, stored);
      expect(whatOf(moved)).to.deep.equal({
        'calls m1': ['quantity', 'amount', 'fingerprint', 'merkleRoot'],
        'calls m2': ['line', 'merkleRoot'],
      });
      await tamper(scene, (text) => text.replace('"m":"m1","u":"ben","v":"7"', '"m":"m2","u":"ben","v":"7"'));
      expect((await verify(scene, stored)).equal).to.equal(true);
      await tamper(scene, (text) =>
        text
          .split('\n')
          .filter((line) => !line.includes('"v":"3"'))
          .join('\n'),
      );
      expect(whatOf(await differing(scene, stored))).to.deep.include({
        tokens: ['quantity', 'amount', 'fingerprint', 'merkleRoot'],
        'calls m1': ['quantity', 'amount', 'fingerprint', 'merkleRoot'],
        users: ['fingerprint', 'merkleRoot'],
      });
    }));

  it('tells it of a changed digest, though it changes no amount', () =>
    inScene(async (scene) => {
      const stored = await last(scene.world);
      const [digest = ''] = /[0-9a-f]{32}\t([0-9a-f]{32})/.exec(await textOf(scene))?.slice(1) ?? [];
      await tamper(scene, (text) => text.replace(digest, digest.split('').reverse().join('')));
      for (const parts of Object.values(whatOf(await differing(scene, stored))))
        expect(parts).to.deep.equal(['fingerprint', 'merkleRoot']);
    }));

  it('tells what of the stored document or of its inputs was changed', () =>
    inScene(async (scene) => {
      const { world } = scene;
      const stored = await last(world);
      const place = { namespace: NAMESPACE, invoice: stored.row.id, part: 0 };
      const rewrite = async (table: typeof invoiceContent, from: string, to: string): Promise<void> => {
        const [row] = await world.database.read(table, [[NAMESPACE, stored.row.id, 0]]);
        expect(row?.text).to.include(from);
        await world.transact(async (tx) =>
          tx.upsert(table, { ...place, text: (row?.text ?? '').replace(from, to) }),
        );
      };
      await rewrite(invoiceContent, '"amount":"1.1"', '"amount":"1.2"');
      const changed = await verify(scene, stored);
      expect(changed.differences.map(({ what }) => what)).to.deep.equal(['contentHash']);
      expect(changed.lines.flatMap(({ differences }) => differences)).to.deep.equal([
        { what: 'amount', stored: '1.2', recomputed: '1.1' },
      ]);
      await rewrite(invoiceContent, '"amount":"1.2"', '"amount":"1.1"');
      expect((await verify(scene, stored)).equal).to.equal(true);
      await rewrite(invoiceInput, '"unitPrice":"0.01"', '"unitPrice":"0.02"');
      const other = await verify(scene, stored);
      expect(other.equal).to.equal(false);
      expect(other.differences.map(({ what }) => what)).to.include('inputsHash');
    }));
});

async function textOf({ segments }: Scene): Promise<string> {
  const files = await readdir(segments);
  return (await Promise.all(files.map((file) => readFile(join(segments, file), 'utf8')))).join('');
}

describe('usage that comes late', () => {
  it('is listed with the invoice of its period as what it adds', () =>
    inScene(async (scene) => {
      const { world } = scene;
      const stored = await last(world);
      expect(await late(scene, stored)).to.deep.equal({});
      await world.use('acme', '2026-01-31T12:00:00Z', 1_000, { m: 'm1', u: 'ann' });
      // 1,000 tokens at 0.01; a call of m1; no new user; 1,000 seats for half a day of 31, 544.75 less the 464.11 that were billed; 10 % and a fee.
      expect(await late(scene, stored)).to.deep.equal({
        tokens: '10',
        calls: '1',
        seats: '80.64',
        volume: '100.5',
      });
      expect((await verify(scene, stored)).equal).to.equal(true);
    }));

  it('is below 0 where an event was taken back', () =>
    inScene(async (scene) => {
      const stored = await last(scene.world);
      await voidFirst(scene.world);
      const found = await late(scene, stored);
      // Without 100 tokens, a call and a user that named nobody else.
      expect(found).to.include({ tokens: '-1', calls: '-1', users: '-3' });
      expect((await verify(scene, stored)).equal).to.equal(true);
    }));

  it('is what a level of before the period adds, though no event is in it', () =>
    inScene(async (scene) => {
      const { world } = scene;
      await bill(world, '2026-03-02T00:00:00Z');
      const february = await last(world);
      expect(await late(scene, february)).to.deep.equal({});
      await world.use('acme', '2026-01-31T12:00:00Z', 10, { m: 'm1', u: 'ann' });
      expect(await late(scene, february)).to.deep.equal({ seats: '50' });
    }));

  it('is not listed where the next invoice of the item bills it anyway', () =>
    inScene(async (scene) => {
      const { world } = scene;
      const january = await last(world);
      await world.use('acme', '2026-02-10T12:00:00Z', 10, { m: 'm1', u: 'ann' });
      expect(await late(scene, january)).to.deep.equal({});
    }));
});
