import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { releaseInvoice, voidInvoice } from '#infra/invoicing/change-invoice.ts';
import { previewInvoices } from '#infra/invoicing/preview-invoices.ts';
import type { StoredInvoice } from '#infra/invoicing/read-invoices.ts';
import { previewRecompute, recomputeInvoice } from '#infra/invoicing/recompute-invoice.ts';
import type { InvoiceRow } from '#infra/invoicing/tables.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { eachDriver } from '#test/support/both-drivers.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import {
  BILLING_TABLES,
  billingWorld,
  feeCharge,
  NAMESPACE,
  planOf,
  said,
  TOKENS,
  tokensCharge,
  type BillingWorld,
} from './billing-world.ts';

const schedule = () => ({
  point: () => Promise.resolve(),
  random: seededRandom(1).next,
  now: () => SIMULATION_START,
});
const warehouseOf = () => openHostileWarehouse({ schedule: schedule(), faults: noWarehouseFaults });

const worldsOn =
  (open: ReturnType<typeof eachDriver>[string]) =>
  async (test: (world: BillingWorld) => Promise<void>): Promise<void> => {
    const { database, close } = await open(BILLING_TABLES);
    try {
      await test(billingWorld(database, warehouseOf(), '2026-01-31T10:00:00Z'));
    } finally {
      await close();
    }
  };

const PRO = planOf([feeCharge('20'), tokensCharge('0.01')]);

async function subscribed(world: BillingWorld, definition = PRO): Promise<string> {
  await world.meter('tokens', TOKENS);
  await world.plan('pro', definition);
  await world.customer('acme');
  return world.subscribe('acme', {
    plan: 'pro',
    startAt: instant('2026-02-01T00:00:00Z'),
    anchor: 'calendar',
  });
}

const totals = (invoices: readonly StoredInvoice[]): string[] =>
  invoices.map(({ row }) => `${formatInstant(row.date).slice(0, 10)} ${row.state} ${row.totals.total}`);

const change = (world: BillingWorld, id: string) => ({
  namespace: NAMESPACE,
  id,
  now: (world.clock.now += MICROS_PER_SECOND),
});

for (const [driver, open] of Object.entries(eachDriver()))
  describe(`invoices on the ${driver} driver`, () => {
    const within = worldsOn(open);
    it('have usage in arrears and the next fee in advance on one document, once', () =>
      within(async (world) => {
        await subscribed(world);
        await world.use('acme', '2026-02-03T00:00:00Z', 1_000);
        await world.reach('2026-02-03T01:00:00Z');
        await world.run();
        await world.reach('2026-03-01T00:10:00Z');
        expect((await world.run()).counts).to.include({ customers: 1, invoices: 1, parked: 0, failed: 0 });
        expect((await world.run()).counts).to.include({ invoices: 0 });
        const [first, second] = await world.invoices('acme');
        expect(first && said(first)).to.deep.equal(['fixed fee 2026-02-01..2026-03-01 1 = 20']);
        expect(second && said(second)).to.deep.equal([
          'usage tokens 2026-02-01..2026-03-01 1000 = 10',
          'fixed fee 2026-03-01..2026-04-01 1 = 20',
        ]);
        expect(second?.row).to.include({
          number: 'INV-2026-000002',
          issueDate: '2026-03-01',
          dueDate: '2026-03-31',
        });
        expect(Object.keys(second?.row.merkleRoots ?? {})).to.deep.equal(['1']);
      }));

    it('wait until usage is complete beyond their date and the grace, and stop those after them', () =>
      within(async (world) => {
        await subscribed(world);
        await world.reach('2026-03-01T00:00:30Z');
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal(['2026-02-01 issued 20']);
        await world.reach('2026-04-01T00:00:30Z');
        await world.run();
        expect(totals(await world.invoices('acme')).slice(1)).to.deep.equal(['2026-03-01 issued 20']);
      }));

    it('are one for each due moment after months without a run', () =>
      within(async (world) => {
        await subscribed(world);
        await world.use('acme', '2026-02-10T00:00:00Z', 100);
        await world.use('acme', '2026-03-10T00:00:00Z', 200);
        await world.reach('2026-04-01T01:00:00Z');
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-01 issued 20',
          '2026-03-01 issued 21',
          '2026-04-01 issued 22',
        ]);
      }));

    it('that are void leave what they billed due again, and the document after them is right', () =>
      within(async (world) => {
        await subscribed(world);
        await world.use('acme', '2026-02-10T00:00:00Z', 100);
        await world.reach('2026-03-01T01:00:00Z');
        await world.run();
        const [, march] = await world.rows();
        await world.transact((tx) => voidInvoice(tx, change(world, march?.id ?? '')));
        await world.transact((tx) => voidInvoice(tx, change(world, march?.id ?? '')));
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-01 issued 20',
          '2026-03-01 void 21',
          '2026-03-01 issued 21',
        ]);
        expect((await world.rows()).map(({ sequence }) => sequence)).to.deep.equal([1, 1, 2]);
        expect((await world.run()).counts).to.include({ invoices: 0 });
      }));

    it('settle a change inside a period against what was billed in advance', () =>
      within(async (world) => {
        const id = await subscribed(world, planOf([feeCharge('28')]));
        await world.reach('2026-02-15T00:00:00Z');
        await world.run();
        await world.change(id, { kind: 'cancel', at: 'now' });
        await world.run();
        const [, credit] = await world.invoices('acme');
        expect(credit && totals([credit])).to.deep.equal(['2026-02-15 draft -14']);
        expect(credit?.row.parkedFor.map(({ code }) => code)).to.deep.equal(['negative_total']);
        expect((await world.run()).counts).to.include({ invoices: 0 });
      }));

    it('do not settle a change before it comes', () =>
      within(async (world) => {
        const id = await subscribed(world, planOf([feeCharge('28')]));
        await world.reach('2026-02-10T00:00:00Z');
        await world.run();
        await world.change(id, { kind: 'cancel', at: instant('2026-02-15T00:00:00Z') });
        await world.run();
        expect(await world.rows()).to.have.length(1);
        await world.change(id, { kind: 'uncancel' });
        await world.reach('2026-03-01T01:00:00Z');
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-01 issued 28',
          '2026-03-01 issued 28',
        ]);
      }));

    it('do not settle a change before it comes because another invoice was void', () =>
      within(async (world) => {
        const id = await subscribed(world, planOf([feeCharge('31')]));
        await world.reach('2026-03-01T01:00:00Z');
        await world.run();
        await world.change(id, { kind: 'cancel', at: instant('2026-03-21T00:00:00Z') });
        const [february] = await world.rows();
        await world.transact((tx) => voidInvoice(tx, change(world, february?.id ?? '')));
        for (const day of ['02', '03', '04']) {
          await world.reach(`2026-03-${day}T00:00:00Z`);
          await world.run();
        }
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-01 void 31',
          '2026-03-01 issued 31',
          '2026-02-01 issued 31',
        ]);
        await world.reach('2026-03-21T00:00:00Z');
        await world.run();
        const [, , , credit] = await world.invoices('acme');
        expect(credit && totals([credit])).to.deep.equal(['2026-03-21 draft -11']);
      }));

    it('come early where usage reaches the threshold, and their tiers go on', () =>
      within(async (world) => {
        const tiers = [
          { upTo: '100', unitPrice: '1', flatFee: '0' },
          { upTo: null, unitPrice: '0.5', flatFee: '0' },
        ];
        const tiered = tokensCharge('0', { price: { model: 'graduated', tiers } });
        await subscribed(world, planOf([tiered], { spendThreshold: { EUR: '100' } }));
        await world.use('acme', '2026-02-05T00:00:00Z', 90);
        await world.reach('2026-02-05T02:00:00Z');
        expect((await world.run()).counts).to.include({ invoices: 0 });
        await world.use('acme', '2026-02-06T00:00:00Z', 110);
        await world.reach('2026-02-06T02:00:00Z');
        expect((await world.run()).counts).to.include({ invoices: 1 });
        expect((await world.run()).counts).to.include({ invoices: 0 });
        await world.use('acme', '2026-02-20T00:00:00Z', 100);
        await world.reach('2026-03-01T02:00:00Z');
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-06 issued 150',
          '2026-03-01 issued 50',
        ]);
      }));

    it('of a parent have what its children owe', () =>
      within(async (world) => {
        await world.meter('tokens', TOKENS);
        await world.plan('pro', PRO);
        await world.customer('top', { subjects: [] });
        const startAt = instant('2026-02-01T00:00:00Z');
        for (const key of ['left', 'right']) {
          await world.customer(key, { parent: 'top' });
          await world.subscribe(key, { plan: 'pro', startAt, anchor: 'calendar' });
        }
        await world.use('right', '2026-02-10T00:00:00Z', 100);
        await world.reach('2026-03-01T01:00:00Z');
        await world.run();
        expect(totals(await world.invoices('top'))).to.deep.equal([
          '2026-02-01 issued 40',
          '2026-03-01 issued 41',
        ]);
        expect(await world.invoices('left')).to.deep.equal([]);
      }));

    it('are held while events of theirs lie among the dead letters, until they are released or computed again', () =>
      within(async (world) => {
        await subscribed(world);
        await world.deadLetter('acme');
        await world.reach('2026-03-01T01:00:00Z');
        expect((await world.run()).counts).to.include({ invoices: 2, parked: 1 });
        const [, held] = await world.rows();
        expect(held?.parkedFor.map(({ code }) => code)).to.deep.equal(['open_dead_letters']);
        const again = await recomputeInvoice(world, change(world, held?.id ?? ''));
        expect(again.map(({ state }) => state)).to.deep.equal(['draft']);
        const released = await world.transact((tx) => releaseInvoice(tx, change(world, again[0]?.id ?? '')));
        expect(released.releasedFrom.map(({ code }) => code)).to.deep.equal(['open_dead_letters']);
        await world.run();
        expect(totals(await world.invoices('acme'))).to.deep.equal([
          '2026-02-01 issued 20',
          '2026-03-01 issued 20',
        ]);
      }));

    it('that are computed again are first shown as they would be, and are of whoever pays by now', () =>
      within(async (world) => {
        await subscribed(world);
        await world.customer('top', { subjects: [] });
        await world.use('acme', '2026-02-10T00:00:00Z', 100);
        await world.deadLetter('acme');
        await world.reach('2026-03-01T01:00:00Z');
        await world.run();
        const [, held] = await world.rows();
        await world.customer('acme', { parent: 'top' });
        const foreseen = await previewRecompute(world, change(world, held?.id ?? ''));
        expect((await world.rows()).map(({ id }) => id))
          .to.include(held?.id)
          .and.have.length(2);
        const again = await recomputeInvoice(world, change(world, held?.id ?? ''));
        const told = ({ customer, state, totals: { total } }: InvoiceRow): string[] => [
          customer,
          state,
          total,
        ];
        expect(again.map(told)).to.deep.equal([['top', 'draft', '21']]);
        expect(foreseen.map(told)).to.deep.equal(again.map(told));
        expect(totals(await world.invoices('acme'))).to.deep.equal(['2026-02-01 issued 20']);
      }));

    it('are previewed by the code that writes them, and a dry run counts and writes nothing', () =>
      within(async (world) => {
        await subscribed(world);
        await world.use('acme', '2026-02-10T00:00:00Z', 100);
        await world.reach('2026-03-01T01:00:00Z');
        const previews = await previewInvoices(world, {
          namespace: NAMESPACE,
          customer: 'acme',
          now: instant('2026-02-20T00:00:00Z'),
        });
        const dry = await world.run({ dryRun: true });
        expect(await world.rows()).to.deep.equal([]);
        const run = await world.run();
        const written = await world.invoices('acme');
        expect(written.map(({ content }) => content)).to.deep.equal(previews.map(({ content }) => content));
        expect(dry.counts).to.deep.equal({ ...run.counts, issued: 0 });
      }));

    it('are previewed all, however many are due', () =>
      within(async (world) => {
        await subscribed(world, planOf([feeCharge('1', { cadence: 'P1D' })]));
        await world.reach('2026-04-01T00:00:00Z');
        const { now } = world.clock;
        const previews = await previewInvoices(world, { namespace: NAMESPACE, customer: 'acme', now });
        await world.run();
        expect(previews.map(({ content }) => content.totals.total)).to.deep.equal(
          (await world.invoices('acme')).map(({ row }) => row.totals.total),
        );
        expect(previews).to.have.length(60);
      }));

    it('name who could not be billed, and bill the others', () =>
      within(async (world) => {
        await subscribed(world);
        await world.customer('other');
        const startAt = instant('2026-02-01T00:00:00Z');
        await world.plan('fees', planOf([feeCharge('5')]));
        await world.subscribe('other', { plan: 'fees', startAt, anchor: 'calendar' });
        await world.removeMeters();
        await world.reach('2026-03-01T01:00:00Z');
        const run = await world.run();
        expect(run.counts).to.include({ invoices: 2, failed: 1 });
        expect(run.failures.map(({ customer, code }) => [customer, code])).to.deep.equal([
          ['acme', 'unknown_meter'],
        ]);
      }));
  });
