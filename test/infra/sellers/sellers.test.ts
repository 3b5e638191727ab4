import { expect } from 'chai';
import { SELLERS_PER_NAMESPACE_MAX } from '#domain/limits.ts';
import type { Database } from '#infra/database/database.ts';
import type { RuleError } from '#infra/rule-error.ts';
import { archiveSeller, putSeller, type SavedSeller } from '#infra/sellers/put-seller.ts';
import { listSellers, onlySeller, readSellerRow, readSellers } from '#infra/sellers/read-sellers.ts';
import { wholeSeller, type SellerDefinition } from '#infra/sellers/seller-definition.ts';
import { seller, SELLER_TABLES } from '#infra/sellers/tables.ts';
import { toSeller } from '#infra/sellers/to-seller.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const NAMESPACE = 'acme-cloud';
const NOW = SIMULATION_START;

async function put(
  database: Database,
  key: string,
  said: Partial<SellerDefinition> = {},
  now = NOW,
): Promise<SavedSeller> {
  const given = { name: key, ...said };
  return (await database.transact((tx) => putSeller(tx, { namespace: NAMESPACE, key, seller: given, now })))
    .result;
}
const archive = (database: Database, key: string) =>
  database.transact((tx) => archiveSeller(tx, { namespace: NAMESPACE, key, now: NOW }));
const refusal = async (doing: Promise<unknown>): Promise<RuleError> =>
  (await rejectionOf(doing)) as RuleError;

describe('sellers', () => {
  onBothDrivers(SELLER_TABLES, (test) => {
    test('are saved whole with their defaults, and saving one again as it is changes nothing', async (database) => {
      const { seller: row, change } = await put(database, 'gmbh', { name: 'Millrace GmbH' });
      expect(change).to.equal('created');
      expect(row).to.deep.include({
        prices: 'exclusive',
        netTermDays: 30,
        numberPrefix: 'INV-',
        timezone: 'UTC',
      });
      expect((await put(database, 'gmbh', { name: 'Millrace GmbH' }, NOW + 1)).change).to.equal('unchanged');
      const said: Partial<SellerDefinition> = {
        taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
        numbering: { prefix: '', timezone: 'europe/berlin' },
      };
      const changed = await put(database, 'gmbh', said, NOW + 1);
      expect(changed).to.deep.include({ change: 'updated' });
      expect(changed.seller).to.deep.include({
        numberPrefix: '',
        timezone: 'Europe/Berlin',
        createdAt: NOW,
        updatedAt: NOW + 1,
      });
      expect(await readSellerRow(database, NAMESPACE, 'gmbh')).to.deep.equal(changed.seller);
      expect((await listSellers(database, NAMESPACE, { limit: 10 })).map(({ key }) => key)).to.deep.equal([
        'gmbh',
      ]);
    });

    test('name everything that is wrong with them at once', async (database) => {
      const { code, violations } = await refusal(
        put(database, 'No Key', {
          name: '',
          address: { line1: 'x', city: 'y', country: 'EU' },
          ids: [{ scheme: 'vat', id: '\u0000' }],
          email: '@',
          taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '1e400' }],
          netTermDays: 1.5,
          paymentInstructions: 'IBAN\n\u001b[2J',
          numbering: { prefix: 'ä', timezone: 'Mars' },
        }),
      );
      expect(code).to.equal('invalid_seller');
      expect(violations.map((each) => each.pointer)).to.deep.equal([
        '',
        '/name',
        '/address/country',
        '/ids/0/id',
        '/email',
        '/taxRates/0/rate',
        '/netTermDays',
        '/paymentInstructions',
        '/numbering/prefix',
        '/numbering/timezone',
      ]);
      for (const text of ['', '\n\n', 'x'.repeat(2_049), 'x\n'.repeat(21)])
        expect((await refusal(put(database, 's', { paymentInstructions: text }))).violations).to.have.length(
          1,
        );
    });

    test('are there by default, under the name of the namespace', async (database) => {
      const found = await readSellers(database, NAMESPACE, ['default', 'default']);
      expect(toSeller(found.get('default')!)).to.deep.include({
        key: 'default',
        name: NAMESPACE,
        address: null,
      });
      expect(await onlySeller(database, NAMESPACE)).to.equal('default');
      expect((await refusal(readSellers(database, NAMESPACE, ['default', 'other']))).code).to.equal(
        'seller_not_found',
      );
      await put(database, 'default', { name: 'Better' });
      expect((await readSellers(database, NAMESPACE, ['default'])).get('default')?.name).to.equal('Better');
    });

    test('need not be named where there is one, or one called default', async (database) => {
      await put(database, 'gmbh');
      expect(await onlySeller(database, NAMESPACE)).to.equal('gmbh');
      await put(database, 'inc');
      expect((await refusal(onlySeller(database, NAMESPACE))).code).to.equal('seller_needed');
      await archive(database, 'gmbh');
      expect(await onlySeller(database, NAMESPACE)).to.equal('inc');
      await put(database, 'gmbh');
      await put(database, 'default');
      expect(await onlySeller(database, NAMESPACE)).to.equal('default');
    });

    test('are archived once, still read, and live again when saved', async (database) => {
      await put(database, 'gmbh');
      const { result: archived } = await archive(database, 'gmbh');
      expect(archived.archivedAt).to.equal(NOW);
      expect((await archive(database, 'gmbh')).result).to.deep.equal(archived);
      expect((await readSellers(database, NAMESPACE, ['gmbh'])).get('gmbh')).to.deep.equal(archived);
      expect((await put(database, 'gmbh')).seller.archivedAt).to.equal(null);
      expect((await refusal(archive(database, 'nobody'))).code).to.equal('seller_not_found');
    });

    test('are bounded in number', async (database) => {
      const times = { createdAt: NOW, updatedAt: NOW, archivedAt: null };
      await database.transact(async (tx) => {
        for (let each = 0; each < SELLERS_PER_NAMESPACE_MAX; each++)
          tx.insert(seller, {
            namespace: NAMESPACE,
            key: `s-${each}`,
            ...wholeSeller({ name: 's' }),
            ...times,
          });
      });
      expect((await refusal(put(database, 'more'))).code).to.equal('too_many_sellers');
      expect((await put(database, 's-0', { name: 'again' })).change).to.equal('updated');
    });
  });
});
