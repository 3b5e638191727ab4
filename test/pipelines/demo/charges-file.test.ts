import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCharge } from '#domain/pricing/check-charge.ts';
import { readCatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import { readChargesFile } from '#pipelines/demo/charges-file.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';

const own = (name: string): URL => new URL(`../../../pipelines/demo/${name}`, import.meta.url);

describe('the charges of the demo', () => {
  for (const [charges, catalogue] of [
    ['charges.json', 'catalogue.json'],
    ['trace-charges.json', 'trace-catalogue.json'],
  ] as const)
    it(`can be rated, each on a meter of the demo and with its dimensions: ${charges}`, async () => {
      const { meters } = await readCatalogueFile(own(catalogue));
      const read = await readChargesFile(own(charges));
      expect(read.charges).to.have.lengthOf.above(3);
      for (const charge of read.charges) {
        expect(checkCharge(charge), charge.key).to.deep.equal([]);
        if (charge.meter !== undefined) expect(meters).to.have.property(charge.meter);
        if (charge.price.model === 'matrix')
          expect(meters[charge.meter ?? '']?.dimensions).to.include.keys(charge.price.dimensions);
      }
    });

  it('are refused before the run where the demo could not compute them by itself, or nobody could', () =>
    inLocalDirectory(async (directory) => {
      const file = join(directory, 'charges.json');
      const refusalOf = async (charge: object): Promise<string> => {
        const charges = [{ key: 'c', name: 'C', meter: 'tokens', ...charge }];
        await writeFile(file, JSON.stringify({ currency: 'USD', charges }));
        return readChargesFile(file).then(
          () => 'none',
          (error: unknown) => String(error),
        );
      };
      const perUnit = { model: 'perUnit', unitPrice: '1' };
      expect(await refusalOf({ price: perUnit })).to.equal('none');
      expect(await refusalOf({ price: { model: 'dynamic' } })).to.include('price.model');
      expect(await refusalOf({ price: perUnit, tiersOver: 'line' })).to.include('tiersOver');
      expect(await refusalOf({ price: perUnit, minimum: '2', maximum: '1' })).to.include(
        '/charges/0/minimum',
      );
    }));
});
