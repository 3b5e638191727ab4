import { expect } from 'chai';
import { createInvoiceRun } from '#infra/invoicing/invoice-runs.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { withApi, type ApiAnswer, type TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';
import { runInvoices } from '../invoice-samples.ts';

const FEES = {
  currencies: ['EUR'],
  phases: [
    { key: 'all', charges: [{ key: 'fee', timing: 'inAdvance', price: { model: 'flat', amount: '30' } }] },
  ],
};
const BY_HAND = { customer: 'acme', lines: [{ description: 'Setup', amount: '49' }] };

async function made(on: TestApi, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const answer = await on.call({ method, path, body });
  expect(answer.status, answer.text).to.be.within(200, 299);
  return answer;
}

async function prepared(on: TestApi): Promise<void> {
  await made(on, 'PUT', '/v1/plans/fees', { name: 'Fees' });
  await made(on, 'POST', '/v1/plans/fees/versions', FEES);
  await made(on, 'POST', '/v1/plans/fees/versions/1/publish');
  await made(on, 'PUT', '/v1/customers/acme', { name: 'Acme', currency: 'EUR' });
  await made(on, 'POST', '/v1/customers/acme/subscriptions', { plan: 'fees' });
}

const idOf = ({ body }: ApiAnswer): string => (body as { id: string }).id;
const itemsOf = ({ body }: ApiAnswer) => (body as { items: Record<string, unknown>[] }).items;

describe('invoices over HTTP', () => {
  it('are previewed, made by a run, listed and read, and the status tells of the run', () =>
    withApi(async (on) => {
      await prepared(on);
      const [preview] = itemsOf(await made(on, 'GET', '/v1/customers/acme/invoices/preview'));
      const run = await runInvoices(on);
      const [head] = itemsOf(await made(on, 'GET', '/v1/invoices?customer=acme'));
      expect(head).to.deep.include({ state: 'issued', customer: 'acme', kind: 'period', run });
      expect(head?.['number']).to.match(/^INV-\d{4}-000001$/);
      const read = (await made(on, 'GET', `/v1/invoices/${String(head?.['id'])}`)).body;
      expect(read).to.deep.include({
        totals: preview?.['totals'],
        servicePeriod: preview?.['servicePeriod'],
      });
      const { lastInvoiceRun } = (await made(on, 'GET', '/v1/status')).body as Record<string, unknown>;
      expect(lastInvoiceRun).to.deep.include({ id: run, state: 'done', invoices: 1, parked: 0 });
    }));

  it('that wait for a decision are counted by the status, and drafts that do not are not', () =>
    withApi(async (on) => {
      await prepared(on);
      await runInvoices(on);
      const [{ id } = { id: '' }] = itemsOf(await made(on, 'GET', '/v1/customers/acme/subscriptions')) as {
        id: string;
      }[];
      await made(on, 'POST', `/v1/subscriptions/${id}/cancel`, {});
      await made(on, 'POST', '/v1/invoices', BY_HAND);
      await runInvoices(on);
      const status = (await made(on, 'GET', '/v1/status')).body as Record<string, unknown>;
      expect(status['parkedInvoices']).to.deep.equal({ count: 1, more: false });
      expect(status['lastInvoiceRun']).to.deep.include({ invoices: 1, parked: 1 });
    }));

  it('that are written by hand are drafts until they are issued, and keep the number that they get', () =>
    withApi(async (on) => {
      await prepared(on);
      const id = idOf(await made(on, 'POST', '/v1/invoices', BY_HAND));
      const would = await made(on, 'POST', `/v1/invoices/${id}/issue?preview=true`);
      expect(would.body).to.deep.include({ state: 'issued' });
      expect((await made(on, 'GET', `/v1/invoices/${id}`)).body).to.deep.include({
        state: 'draft',
        number: null,
      });
      const issued = await made(on, 'POST', `/v1/invoices/${id}/issue`);
      expect(await made(on, 'POST', `/v1/invoices/${id}/issue`)).to.deep.include({ body: issued.body });
      await made(on, 'POST', `/v1/invoices/${id}/pay`);
      const refused = await on.call({ method: 'POST', path: `/v1/invoices/${id}/void` });
      expect([refused.status, (refused.body as { code: string }).code]).to.deep.equal([409, 'invoice_state']);
    }));

  it('are previewed of one subscription, and of none that the customer has not', () =>
    withApi(async (on) => {
      await prepared(on);
      const path = '/v1/customers/acme/invoices/preview?subscription=nope';
      const refused = await on.call({ method: 'GET', path });
      expect([refused.status, (refused.body as { code: string }).code]).to.deep.equal([
        404,
        'subscription_not_found',
      ]);
    }));

  it('say every fault of one that is written by hand at once', () =>
    withApi(async (on) => {
      await prepared(on);
      const lines = [
        { description: 'Setup', amount: '0.001' },
        { description: '\u0007', amount: '1' },
      ];
      const answer = await on.call({ method: 'POST', path: '/v1/invoices', body: { ...BY_HAND, lines } });
      const { code, violations } = answer.body as { code: string; violations: { pointer: string }[] };
      expect([answer.status, code]).to.deep.equal([422, 'invalid_invoice']);
      expect(violations.map(({ pointer }) => pointer)).to.deep.equal([
        '/lines/0/amount',
        '/lines/1/description',
      ]);
    }));

  it('are written once for one Idempotency-Key', () =>
    withApi(async (on) => {
      await prepared(on);
      const post = {
        method: 'POST',
        path: '/v1/invoices',
        body: BY_HAND,
        headers: { 'Idempotency-Key': 'k' },
      };
      const [first, second] = [await on.call(post), await on.call(post)];
      expect(idOf(second)).to.equal(idOf(first));
      expect(second.headers.get('idempotent-replayed')).to.equal('true');
      expect(itemsOf(await made(on, 'GET', '/v1/invoices'))).to.have.length(1);
    }));

  it('of another namespace are not there', () =>
    withApi(async (on) => {
      await prepared(on);
      const run = await runInvoices(on);
      const [head] = itemsOf(await made(on, 'GET', '/v1/invoices'));
      const key = await on.makeKey({ namespace: 'other' });
      for (const path of [`/v1/invoices/${String(head?.['id'])}`, `/v1/invoice-runs/${run}`])
        expect((await on.call({ path, key })).status, path).to.equal(404);
      expect(itemsOf(await on.call({ path: '/v1/invoices', key }))).to.deep.equal([]);
    }));

  it('are printed as PDF and as CSV, with a name of their own', () =>
    withApi(async (on) => {
      await prepared(on);
      const id = idOf(await made(on, 'POST', '/v1/invoices', BY_HAND));
      await made(on, 'POST', `/v1/invoices/${id}/issue`);
      const pdf = await on.call({ path: `/v1/invoices/${id}`, headers: { Accept: 'application/pdf' } });
      expect(pdf.status).to.equal(200);
      expect(pdf.headers.get('content-disposition')).to.match(/filename="INV-\d{4}-000001\.pdf"/);
      expect(pdf.text).to.match(/^%PDF-/);
      const csv = await on.call({ path: `/v1/invoices/${id}`, headers: { Accept: 'text/csv' } });
      expect(csv.headers.get('content-type')).to.equal('text/csv; charset=utf-8; header=present');
      expect(csv.headers.get('content-disposition')).to.match(/filename="INV-\d{4}-000001\.csv"/);
      const [head = '', ...rows] = csv.text.trimEnd().split('\n');
      expect(head).to.match(/^invoice,number,state,/);
      expect(rows.every((row) => row.startsWith(`${id},INV-`))).to.equal(true);
      expect(rows).to.have.length(BY_HAND.lines.length);
    }));
});

describe('an invoice run', () => {
  it('that another process left open is brought to its end by a server that works on another', () =>
    withApi(async (on) => {
      await prepared(on);
      const { result: left } = await on.stores.database.transact((tx) =>
        createInvoiceRun(tx, { namespace: 'default', now: systemScheduler.now() }),
      );
      await runInvoices(on, { dryRun: true });
      await eventually('the run that was left is done', async () => {
        const { body } = await on.call({ path: `/v1/invoice-runs/${left.id}` });
        return (body as { state: string }).state === 'done';
      });
      expect(itemsOf(await made(on, 'GET', '/v1/invoices'))).to.have.length(1);
    }));

  it('is refused for a time to come and customers that are not there, all at once', () =>
    withApi(async (on) => {
      const body = { asOf: '2100-01-01T00:00:00Z', customers: ['nobody'] };
      const answer = await on.call({ method: 'POST', path: '/v1/invoice-runs', body });
      const { code, violations } = answer.body as { code: string; violations: { pointer: string }[] };
      expect([answer.status, code]).to.deep.equal([400, 'invalid_invoice_run']);
      expect(violations.map(({ pointer }) => pointer)).to.deep.equal(['/asOf', '/customers/0']);
    }));
});
