import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import { canonicalText } from '#domain/invoicing/canonical-text.ts';
import { contentHash } from '#domain/invoicing/invoice-hash.ts';
import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import { checkArithmetic } from './check-arithmetic.ts';
import { fileNameOf, goldenText } from './golden-text.ts';
import { contracts } from './contracts.ts';
import { playContract, type Played } from './play-contract.ts';

describe('golden invoices', () => {
  for (const [folder, contract] of contracts)
    describe(contract.title, () => {
      let played: Played;
      before(async () => {
        played = await playContract(contract);
      });

      it('comes to what it does by hand, line by line', () => {
        const wrong = played.invoices.flatMap(({ content }, place) => {
          const byHand = contract.invoices[place];
          if (byHand === undefined) return [`invoice ${place + 1} was not expected`];
          return checkArithmetic(content, byHand, played.subscriptions);
        });
        expect(wrong.join('\n')).to.equal('');
        expect(played.invoices).to.have.length(contract.invoices.length);
      });

      it('has the invoices that are kept, to the byte', async () => {
        const directory = new URL(`${folder}/`, import.meta.url);
        for (const [place, invoice] of played.invoices.entries()) {
          const kept = await readFile(new URL(fileNameOf(place), directory), 'utf8');
          expect(goldenText(played, invoice), `${folder}/${fileNameOf(place)}`).to.equal(kept);
        }
        const files = (await readdir(directory)).filter((name) => name.endsWith('.json'));
        expect(files.sort()).to.deep.equal(played.invoices.map((_, place) => fileNameOf(place)).sort());
      });

      it('makes the same invoices of the inputs that were stored with them', () => {
        for (const { inputsText, content, row } of played.invoices) {
          const again = buildInvoice(JSON.parse(inputsText) as InvoiceInputs);
          expect(canonicalText(again)).to.equal(canonicalText(content));
          expect(contentHash(again)).to.equal(row.contentHash);
        }
      });
    });
});
