import { expect } from 'chai';
import { floorToMinute, MICROS_PER_DAY } from '#domain/instant.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import type { CustomerDefinition } from '#infra/customers/customer-definition.ts';
import { putCustomer, type SavedCustomer } from '#infra/customers/put-customer.ts';
import { getCustomer } from '#infra/customers/read-customers.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { toBuyer } from '#infra/customers/to-buyer.ts';
import type { Database } from '#infra/database/database.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import type { RuleError } from '#infra/rule-error.ts';
import { archiveSeller, putSeller } from '#infra/sellers/put-seller.ts';
import { SELLER_TABLES } from '#infra/sellers/tables.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const TABLES = [
  ...CATALOGUE_TABLES,
  ...CUSTOMER_TABLES,
  ...ENTITLEMENT_TABLES,
  ...SELLER_TABLES,
  ...USAGE_TABLES,
];
const NAMESPACE = 'default';
const NOW = floorToMinute(SIMULATION_START);
const LATER = NOW + MICROS_PER_DAY;

async function put(database: Database, said: Partial<CustomerDefinition>, now = NOW): Promise<SavedCustomer> {
  const customer = { name: 'Acme', ...said };
  const saved = await database.transact((tx) =>
    putCustomer(tx, { namespace: NAMESPACE, key: 'acme', customer, now }),
  );
  return saved.result;
}

const faultsOf = async (saving: Promise<unknown>): Promise<string[]> =>
  ((await rejectionOf(saving)) as RuleError).violations.map(({ pointer, code }) => `${pointer} ${code}`);

const BILLED: Partial<CustomerDefinition> = {
  email: 'accounts@acme.example',
  seller: 'default',
  address: { line1: '1 King St', city: 'Sydney', region: 'NSW', postalCode: '2000', country: 'AU' },
  taxId: '51 824 753 556',
  taxIds: [{ scheme: 'company', id: 'ACN 824 753 556' }],
  taxRates: [{ code: 'gst', jurisdiction: 'AU', rate: '10' }],
  netTermDays: 14,
  purchaseOrder: 'PO-2026/7',
  billingAnchor: { day: 31 },
};

describe('what a customer says for its invoices', () => {
  onBothDrivers(TABLES, (test) => {
    test('is saved whole, read back, and saving it again changes nothing', async (database) => {
      const { customer } = await put(database, BILLED);
      expect(customer.address).to.deep.equal({ ...BILLED.address, line2: null });
      expect(await getCustomer(database, { namespace: NAMESPACE, key: 'acme', now: NOW })).to.deep.equal(
        customer,
      );
      const again = { ...BILLED, billingAnchor: { day: 31, month: undefined } };
      expect((await put(database, again, LATER)).change).to.equal('unchanged');
      expect((await put(database, { ...BILLED, netTermDays: 0 }, LATER)).change).to.equal('updated');
      const bare = await put(database, {}, LATER);
      expect(bare.customer).to.deep.include({ taxId: null, taxIds: [], taxRates: null, billingAnchor: null });
    });

    test('is told with every fault at once', async (database) => {
      const faults = await faultsOf(
        put(database, {
          seller: 'No Key',
          address: { line1: '', city: 'x\n', postalCode: 'y'.repeat(33), country: 'UK' },
          taxId: 't',
          taxIds: [
            { scheme: 'VAT', id: '' },
            { scheme: 'gln', id: '1' },
            { scheme: 'gln', id: '1' },
          ],
          taxRates: [{ code: 'vat', jurisdiction: '', rate: '-1' }],
          netTermDays: 731,
          purchaseOrder: '\u0007',
          billingAnchor: { day: 0, month: 13 },
        }),
      );
      expect(faults).to.deep.equal([
        '/seller invalid_key',
        '/address/line1 empty',
        '/address/city unprintable',
        '/address/postalCode too_long',
        '/address/country unknown_country',
        '/taxIds/0/scheme invalid_key',
        '/taxIds/0/id empty',
        '/taxIds/2 duplicate',
        '/taxRates/0/jurisdiction empty',
        '/taxRates/0/rate below_zero',
        '/netTermDays out_of_range',
        '/purchaseOrder unprintable',
        '/billingAnchor/day out_of_range',
        '/billingAnchor/month out_of_range',
      ]);
      expect(await faultsOf(put(database, { billingAnchor: { weekday: 8 } }))).to.deep.equal([
        '/billingAnchor/weekday out_of_range',
      ]);
      const twice = { taxId: 'T', taxIds: [{ scheme: 'tax', id: 'T' }] };
      expect(await faultsOf(put(database, twice))).to.deep.equal(['/taxIds/0 duplicate']);
      expect(await faultsOf(put(database, { currency: 'EUX' }))).to.deep.equal([
        '/currency unknown_currency',
      ]);
    });

    test('names a seller that takes customers; one that is archived later stays', async (database) => {
      expect(await faultsOf(put(database, { seller: 'gmbh' }))).to.deep.equal(['/seller seller_not_found']);
      await database.transact((tx) =>
        putSeller(tx, { namespace: NAMESPACE, key: 'gmbh', seller: { name: 'G' }, now: NOW }),
      );
      await put(database, { seller: 'gmbh' });
      await database.transact((tx) => archiveSeller(tx, { namespace: NAMESPACE, key: 'gmbh', now: NOW }));
      expect((await put(database, { seller: 'gmbh', netTermDays: 1 })).change).to.equal('updated');
      await put(database, {});
      expect(await faultsOf(put(database, { seller: 'gmbh' }))).to.deep.equal(['/seller seller_not_found']);
    });

    test('is what an invoice says of its buyer, with the tax id first', async (database) => {
      const { customer } = await put(database, BILLED);
      expect(toBuyer(customer)).to.deep.equal({
        key: 'acme',
        name: 'Acme',
        address: customer.address,
        email: 'accounts@acme.example',
        ids: [
          { scheme: 'tax', id: '51 824 753 556' },
          { scheme: 'company', id: 'ACN 824 753 556' },
        ],
        taxRates: [{ code: 'gst', jurisdiction: 'AU', rate: '10', exemption: null }],
        netTermDays: 14,
        purchaseOrder: 'PO-2026/7',
      });
    });
  });
});
