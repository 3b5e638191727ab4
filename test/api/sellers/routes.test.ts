import { expect } from 'chai';
import { withApi } from '#test/support/api-server.ts';

const SELLER = {
  name: 'Millrace GmbH',
  address: { line1: 'Torstraße 1', city: 'Berlin', postalCode: '10119', country: 'DE' },
  ids: [{ scheme: 'vat', id: 'DE123456789' }],
  taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: 19 }],
  paymentInstructions: 'IBAN DE00\nBIC X',
  numbering: { prefix: 'MR-', timezone: 'Europe/Berlin' },
};

describe('the routes of sellers', () => {
  it('save, answer what can be sent back as it is, list and archive', () =>
    withApi(async ({ call }) => {
      const path = '/v1/sellers/gmbh';
      const created = await call({ method: 'PUT', path, body: SELLER });
      expect(created.status, created.text).to.equal(201);
      expect(created.headers.get('location')).to.equal(path);
      const { key, createdAt, updatedAt, archivedAt, ...said } = created.body as Record<string, unknown>;
      expect([key, archivedAt, createdAt === updatedAt]).to.deep.equal(['gmbh', null, true]);
      expect(said).to.deep.include({ netTermDays: 30, prices: 'exclusive', email: null });
      expect(said['taxRates']).to.deep.equal([
        { code: 'vat', jurisdiction: 'DE', rate: '19', exemption: null },
      ]);
      const again = await call({ method: 'PUT', path, body: said });
      expect([again.status, again.body]).to.deep.equal([200, created.body]);
      expect((await call({ path: '/v1/sellers' })).body).to.deep.equal({
        items: [created.body],
        nextCursor: null,
      });
      const archived = await call({ method: 'DELETE', path });
      expect((archived.body as { archivedAt: string }).archivedAt).to.be.a('string');
      expect((await call({ path })).body).to.deep.equal(archived.body);
      expect((await call({ path: '/v1/sellers/other' })).body).to.include({ code: 'seller_not_found' });
    }));

  it('name all faults at once', () =>
    withApi(async ({ call }) => {
      const body = { ...SELLER, address: { ...SELLER.address, country: 'ZZ' }, netTermDays: -1 };
      const refused = await call({ method: 'PUT', path: '/v1/sellers/gmbh', body });
      expect(refused.status).to.equal(400);
      expect(refused.body).to.include({ code: 'invalid_seller' });
      const { violations } = refused.body as { violations: { pointer: string }[] };
      expect(violations.map(({ pointer }) => pointer)).to.deep.equal(['/address/country', '/netTermDays']);
    }));
});

describe('what a customer says for its invoices, over HTTP', () => {
  it('is saved, patched field by field, and answered by get and list', () =>
    withApi(async ({ call }) => {
      const path = '/v1/customers/acme';
      const body = {
        name: 'Acme',
        seller: 'default',
        address: { line1: 'شارع 1', city: 'المنامة', country: 'BH' },
        taxId: '200000000000002',
        taxRates: [],
        netTermDays: 10,
        billingAnchor: '2026-01-31T00:00:00+03:00',
      };
      const created = await call({ method: 'PUT', path, body });
      expect(created.status, created.text).to.equal(201);
      expect(created.body).to.deep.include({
        seller: 'default',
        taxId: '200000000000002',
        taxIds: [],
        taxRates: [],
        netTermDays: 10,
        purchaseOrder: null,
        billingAnchor: '2026-01-30T21:00:00Z',
        address: {
          line1: 'شارع 1',
          line2: null,
          city: 'المنامة',
          region: null,
          postalCode: null,
          country: 'BH',
        },
      });
      const change = { address: { line2: 'x' }, netTermDays: null, billingAnchor: { day: 31 } };
      const patched = await call({
        method: 'PATCH',
        path,
        body: change,
        headers: { 'content-type': 'application/merge-patch+json' },
      });
      expect(patched.status, patched.text).to.equal(200);
      expect(patched.body).to.deep.include({
        netTermDays: null,
        billingAnchor: { day: 31 },
        taxId: '200000000000002',
      });
      expect((patched.body as { address: object }).address).to.include({ line2: 'x', country: 'BH' });
      expect((await call({ path })).body).to.deep.equal(patched.body);
      const { items } = (await call({ path: '/v1/customers' })).body as { items: object[] };
      expect(items[0]).to.deep.include({ billingAnchor: { day: 31 }, taxRates: [] });
    }));

  it('is refused with an unknown seller', () =>
    withApi(async ({ call }) => {
      const body = { name: 'Acme', seller: 'nobody' };
      const refused = await call({ method: 'PUT', path: '/v1/customers/acme', body });
      expect(refused.status).to.equal(404);
      expect(refused.body).to.deep.include({ code: 'seller_not_found' });
    }));
});
