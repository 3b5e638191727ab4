import { parse } from 'csv-parse/sync';
import { expect } from 'chai';
import { createMerkleTree, eventLeafHash, hash256ToHex } from '#domain/invoicing/merkle.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import {
  billingWorld,
  feeCharge,
  planOf,
  TOKENS,
  tokensCharge,
  type BillingWorld,
} from '#test/infra/invoicing/billing-world.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';

interface Line {
  readonly id: string;
  readonly charge: string;
  readonly quantity: string | null;
  readonly events: string | null;
  readonly merkleRoot: string | null;
}

interface Invoice {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly lateUsage: readonly Record<string, unknown>[];
}

interface Event {
  readonly time: string;
  readonly identity: string;
  readonly digest: string;
  readonly subject: string;
  readonly value: string;
}

const EVENTS = 7;

/** An issued invoice of January with a fee and tokens, over HTTP. */
async function withInvoice(
  test: (on: TestApi, world: BillingWorld, invoice: Invoice) => Promise<void>,
): Promise<void> {
  const clock = { now: instant('2026-01-01T00:00:00Z') };
  await withApi(
    async (on) => {
      const world = billingWorld(on.stores.database, on.stores.warehouse, '2026-01-01T00:00:00Z');
      await world.meter('tokens', { ...TOKENS, dimensions: { model: 'm' } });
      await world.customer('acme', { subjects: ['acme', '=cmd()'] });
      await world.plan('pro', planOf([feeCharge('20'), tokensCharge('0.01')]));
      await world.subscribe('acme', { plan: 'pro', startAt: clock.now, anchor: 'calendar' });
      for (let place = 0; place < EVENTS; place++)
        await world.use(place % 2 === 0 ? 'acme' : '=cmd()', `2026-01-1${place}T10:00:00Z`, 100 + place, {
          m: 'm,1',
        });
      await world.reach('2026-02-02T00:00:00Z');
      clock.now = world.clock.now;
      await world.run();
      const id = (await world.invoices('acme')).at(-1)?.row.id ?? '';
      await test(on, world, await read(on, id));
    },
    { scheduler: { ...systemScheduler, now: () => clock.now } },
  );
}

const read = async ({ call }: TestApi, id: string): Promise<Invoice> => {
  const { status, body, text } = await call({ path: `/v1/invoices/${id}` });
  expect(status, text).to.equal(200);
  return body as Invoice;
};

const lineOf = ({ lines }: Invoice, charge: string): Line =>
  lines.find((line) => line.charge === charge) ?? expect.fail(`no line of ${charge}`);

async function eventsOf({ call }: TestApi, path: string, limit: number): Promise<Event[]> {
  const events: Event[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const answer = await call({ path: `${path}?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}` });
    expect(answer.status, answer.text).to.equal(200);
    const page = answer.body as { items: Event[]; nextCursor: string | null };
    expect(page.items.length).to.be.at.most(limit);
    events.push(...page.items);
    cursor = page.nextCursor;
  }
  return events;
}

describe('the proof of an invoice over HTTP', () => {
  it('lists the events behind a line, page by page, and anybody can make its Merkle root and quantity of them', () =>
    withInvoice(async (on, _, invoice) => {
      const line = lineOf(invoice, 'tokens');
      for (const limit of [1, 3, 200]) {
        const events = await eventsOf(on, line.events ?? '', limit);
        expect(events).to.have.length(EVENTS);
        const tree = createMerkleTree();
        for (const event of events) tree.append(eventLeafHash(event));
        expect(hash256ToHex(tree.root())).to.equal(line.merkleRoot);
        expect(String(events.reduce((sum, { value }) => sum + Number(value), 0))).to.equal(line.quantity);
      }
    }));

  it('gives them as CSV, too, with a column for each dimension and no formula', () =>
    withInvoice(async (on, _, invoice) => {
      const path = lineOf(invoice, 'tokens').events ?? '';
      const answer = await on.call({ path, headers: { accept: 'text/csv' } });
      expect(answer.headers.get('content-type')).to.match(/^text\/csv/);
      const rows = parse<Record<string, string>>(answer.text, { columns: true });
      const events = await eventsOf(on, path, 200);
      expect(
        rows.map(({ subject, model, ...row }) => [row['identity'], row['value'], subject, model]),
      ).to.deep.equal(
        events.map(({ identity, value, subject }) => [identity, value, subject.replace('=', "'="), 'm,1']),
      );
      const fee = await on.call({
        path: `/v1/invoices/${invoice.id}/lines/${lineOf(invoice, 'fee').id}/events`,
        headers: { accept: 'text/csv' },
      });
      expect(fee.text).to.equal('time,identity,digest,source,id,subject,value\n');
    }));

  it('has no events behind a fee, and does not know a line that is not there, or an invoice of somebody else', () =>
    withInvoice(async (on, _, invoice) => {
      const fee = lineOf(invoice, 'fee');
      expect(fee.events).to.equal(null);
      const path = `/v1/invoices/${invoice.id}/lines`;
      expect((await on.call({ path: `${path}/${fee.id}/events` })).body).to.deep.equal({
        items: [],
        nextCursor: null,
      });
      expect((await on.call({ path: `${path}/99/events` })).body).to.include({
        code: 'invoice_line_not_found',
      });
      const key = await on.makeKey({ namespace: 'other' });
      const other = await on.call({ path: `${path}/${fee.id}/events`, key });
      expect(other.body).to.include({ code: 'invoice_not_found', status: 404 });
      const verify = await on.call({ method: 'POST', path: `/v1/invoices/${invoice.id}/verify`, key });
      expect(verify.body).to.include({ code: 'invoice_not_found', status: 404 });
    }));

  it('is verified as equal, also when usage has come late, which is listed with the invoice', () =>
    withInvoice(async (on, world, invoice) => {
      expect(invoice.lateUsage).to.deep.equal([]);
      await world.use('acme', '2026-01-20T10:00:00Z', 1_000, { m: 'late' });
      const verified = await on.call({ method: 'POST', path: `/v1/invoices/${invoice.id}/verify` });
      expect(verified.body).to.deep.include({ invoice: invoice.id, equal: true, differences: [] });
      const { lateUsage } = await read(on, invoice.id);
      expect(lateUsage).to.have.length(1);
      expect(lateUsage[0]).to.deep.include({
        charge: 'tokens',
        customer: 'acme',
        period: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
        billed: '7.21',
        due: '17.21',
        delta: '10',
      });
    }));
});
