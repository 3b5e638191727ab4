import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';
import type { Samples } from './samples.ts';

const FEES = {
  currencies: ['USD'],
  phases: [
    { key: 'all', charges: [{ key: 'fee', timing: 'inAdvance', price: { model: 'flat', amount: '30' } }] },
  ],
};
const BY_HAND = {
  customer: 'billed',
  currency: 'USD',
  seller: 'tokens',
  lines: [{ description: 'Setup', amount: '49' }],
};

/** Runs over these customers, to the end. Its id. */
export async function runInvoices({ call }: TestApi, body: object = {}): Promise<string> {
  const made = await call({ method: 'POST', path: '/v1/invoice-runs', body });
  expect(made.status, made.text).to.equal(201);
  const { id } = made.body as { id: string };
  await eventually('the invoice run is done', async () => {
    const { body: run } = await call({ path: `/v1/invoice-runs/${id}` });
    return (run as { state: string }).state === 'done';
  });
  return id;
}

/** An invoice for each call that changes one, so that none finds what another left. */
export async function prepareInvoices(on: TestApi): Promise<Samples> {
  const make = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await on.call({ method, path, body });
    expect(answer.status, answer.text).to.be.within(200, 299);
    return answer.body;
  };
  await make('PUT', '/v1/plans/fees', { name: 'Fees' });
  await make('POST', '/v1/plans/fees/versions', FEES);
  await make('POST', '/v1/plans/fees/versions/1/publish');
  const customers = ['billed', 'parked', 'again'];
  const ended = customers.slice(1);
  const subscriptions = new Map<string, string>();
  const startAt = formatInstant(systemScheduler.now() - 10 * MICROS_PER_DAY);
  for (const key of customers) {
    await make('PUT', `/v1/customers/${key}`, { name: key, currency: 'USD', seller: 'tokens' });
    const made = await make('POST', `/v1/customers/${key}/subscriptions`, { plan: 'fees', startAt });
    subscriptions.set(key, (made as { subscription: { id: string } }).subscription.id);
  }
  const run = await runInvoices(on, { customers });
  // What was paid in advance and is not due any more makes a negative invoice, which nobody issues unseen.
  for (const key of ended)
    await make('POST', `/v1/subscriptions/${subscriptions.get(key)}/cancel`, { at: 'now' });
  await runInvoices(on, { customers: ended });
  const idOf = async (query: string): Promise<string> => {
    const { items } = (await make('GET', `/v1/invoices?${query}`)) as { items: { id: string }[] };
    return items[0]?.id ?? expect.fail(`no invoice is ${query}`);
  };
  const byHand = async (): Promise<string> =>
    ((await make('POST', '/v1/invoices', BY_HAND)) as { id: string }).id;
  const issued = async (): Promise<string> => {
    const id = await byHand();
    await make('POST', `/v1/invoices/${id}/issue`);
    return id;
  };
  const kept = { id: await idOf('customer=billed') };
  return {
    createInvoice: { body: BY_HAND },
    listInvoices: { query: 'customer=billed&state=issued&limit=2' },
    getInvoice: { path: kept },
    previewInvoices: { path: { key: 'billed' } },
    issueInvoice: { path: { id: await byHand() } },
    payInvoice: { path: { id: await issued() } },
    writeOffInvoice: { path: { id: await issued() } },
    voidInvoice: { path: { id: await issued() } },
    releaseInvoice: { path: { id: await idOf('customer=parked&state=draft') } },
    recomputeInvoice: { path: { id: await idOf('customer=again&state=draft') } },
    listLineEvents: { path: { ...kept, line: '1' } },
    verifyInvoice: { path: kept },
    createInvoiceRun: { body: { customers: ['billed'], dryRun: true } },
    listInvoiceRuns: { query: 'limit=2' },
    getInvoiceRun: { path: { id: run } },
  };
}
