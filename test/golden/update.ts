import { rm, readdir, writeFile } from 'node:fs/promises';
import { checkArithmetic } from './check-arithmetic.ts';
import { contracts } from './contracts.ts';
import { fileNameOf, goldenText } from './golden-text.ts';
import { playContract } from './play-contract.ts';

/**
 * Writes the invoices of all contracts, or of those that are named, anew: what they say is to be looked through by somebody before it is kept.
 * Nothing is written of a contract whose sums by hand are not met.
 */
const [, , ...named] = process.argv;
for (const [folder, contract] of contracts) {
  if (named.length > 0 && !named.includes(folder)) continue;
  const played = await playContract(contract);
  const wrong = played.invoices.flatMap(({ content }, place) => {
    const byHand = contract.invoices[place];
    return byHand === undefined
      ? [`invoice ${place + 1} has no sums`]
      : checkArithmetic(content, byHand, played.subscriptions);
  });
  if (wrong.length > 0) {
    process.stderr.write(`${folder} is not as by hand:\n  ${wrong.join('\n  ')}\n`);
    process.exitCode = 1;
    continue;
  }
  const directory = new URL(`${folder}/`, import.meta.url);
  for (const name of await readdir(directory)) if (name.endsWith('.json')) await rm(new URL(name, directory));
  for (const [place, invoice] of played.invoices.entries())
    await writeFile(new URL(fileNameOf(place), directory), goldenText(played, invoice));
  process.stdout.write(`${folder}: ${played.invoices.length} invoices\n`);
}
