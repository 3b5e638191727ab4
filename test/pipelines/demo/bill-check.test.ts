import { expect } from 'chai';
import { createApiClient } from '#pipelines/demo/api-client.ts';
import { checkBills, compareBill } from '#pipelines/demo/bill-check.ts';
import type { BillLine } from '#pipelines/demo/bill.ts';
import { putCatalogue } from '#pipelines/demo/put-catalogue.ts';
import { tellDifferences } from '#pipelines/demo/tell-invoices.ts';
import { withApi } from '#test/support/api-server.ts';
import { dataSetOf, factOf } from './facts.ts';

const lineOf = (amount: string, more: Partial<BillLine> = {}): BillLine => ({
  id: 'tokens/1',
  kind: 'usage',
  charge: 'tokens',
  description: 'Tokens',
  quantity: '1',
  unitPrice: amount,
  amount,
  working: [],
  ...more,
});

describe('the check of the bills', () => {
  const expected = { lines: new Map([['tokens price', 100n]]), total: 100n };
  const differences = (lines: readonly BillLine[], total = '1') =>
    compareBill({ currency: 'USD', lines, totals: { total } }, expected).map(({ what }) => what);

  it('finds a cent, a part of one, a line too few or too many, and a total', () => {
    expect(differences([lineOf('1')])).to.deep.equal([]);
    expect(differences([lineOf('1.01')])).to.deep.equal(['tokens price']);
    expect(differences([lineOf('1.001')])).to.deep.equal(['tokens price']);
    expect(differences([])).to.deep.equal(['tokens price']);
    expect(differences([lineOf('1'), lineOf('0', { kind: 'discount' })])).to.deep.equal(['tokens discount']);
    expect(differences([lineOf('1')], '1.01')).to.deep.equal(['total']);
  });

  it('asks the API for every customer, and tells what the demo counted and the API did not', () =>
    withApi(async ({ api, key }) => {
      const set = dataSetOf([factOf('a'), factOf('b')]);
      const client = createApiClient({ url: api.url, key });
      await putCatalogue(client, set.catalogue, set.from);
      const nothing = await checkBills(client, set, []);
      expect(nothing.map(({ different }) => different)).to.deep.equal([[]]);
      // Nobody commits the events, so the bill has none of them.
      const facts = set.planned.flatMap(({ fact }) => (fact ? [fact] : []));
      const lost = await checkBills(client, set, facts);
      expect(lost[0]?.different).to.deep.equal([
        { what: 'tokens price', found: '0', expected: '0.14' },
        { what: 'total', found: '0', expected: '0.14' },
      ]);
      expect(tellDifferences('acme', lost[0]?.different ?? [])[0]).to.equal(
        '    acme, tokens price: billed 0, independently 0.14',
      );
    }));
});
