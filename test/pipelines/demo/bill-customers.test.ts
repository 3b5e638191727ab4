import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { LOCAL_FEEDS, type LocalFeedName } from '#infra/local/open-local.ts';
import { DEFAULT_LATENESS_MICROS, storeWatermarks } from '#infra/usage/watermark.ts';
import { createApiClient } from '#pipelines/demo/api-client.ts';
import { checkBills } from '#pipelines/demo/bill-check.ts';
import { billCustomers } from '#pipelines/demo/bill-customers.ts';
import { checkInvoices } from '#pipelines/demo/invoice-check.ts';
import { putCatalogue } from '#pipelines/demo/put-catalogue.ts';
import { putPlan } from '#pipelines/demo/put-plan.ts';
import { withApi } from '#test/support/api-server.ts';
import { dataSetOf, factOf } from './facts.ts';

describe('the invoices of the demo', () => {
  it('are one for each customer of the whole month, issued, verified and printed, and one that lacks an event is found', () =>
    withApi(async ({ api, key, stores, directory }) => {
      const set = dataSetOf([factOf('a')]);
      const client = createApiClient({ url: api.url, key });
      await putCatalogue(client, set.catalogue, set.from);
      await putPlan(client, set);
      // What a pipeline would say whose topics are empty.
      const feeds = (['usage', 'api'] satisfies LocalFeedName[]).map((name) => ({
        feed: LOCAL_FEEDS[name].feed,
        worker: 'test',
        namespace: null,
        latenessMicros: DEFAULT_LATENESS_MICROS,
        topic: stores.topics[name],
      }));
      await storeWatermarks(stores.database, feeds);
      const billed = await billCustomers(client, { month: set.month, directory });
      const none = checkInvoices(billed, set, await checkBills(client, set, []));
      expect(none.ok).to.equal(true);
      const [{ invoice, file } = { invoice: undefined, file: null }] = none.invoices;
      const period = [invoice?.servicePeriod.from, invoice?.servicePeriod.to].map((time) =>
        Date.parse(time ?? ''),
      );
      expect(period).to.deep.equal([set.month.from, set.month.to].map((time) => Date.parse(time)));
      expect(invoice).to.include({ state: 'issued', customer: 'acme', currency: 'USD' });
      expect((await readFile(file ?? '')).subarray(0, 5).toString()).to.equal('%PDF-');
      // The demo knows of an event that nobody committed.
      const facts = set.planned.flatMap(({ fact }) => (fact ? [fact] : []));
      const lost = checkInvoices(billed, set, await checkBills(client, set, facts));
      expect(lost.ok).to.equal(false);
      expect(lost.invoices[0]?.different.map(({ what }) => what)).to.deep.equal([
        'tokens price',
        'net',
        'tax',
        'total',
      ]);
    }));
});
