import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';

/** The catalogues that a batch is matched with, by namespace: of every namespace that has an event in it. */
export type CatalogueSet = ReadonlyMap<string, LoadedCatalogue>;

/** Throws for a namespace that the batch was not loaded for, which is a defect of the caller. */
export function catalogueOf(catalogues: CatalogueSet, namespace: string): LoadedCatalogue {
  const catalogue = catalogues.get(namespace);
  if (catalogue === undefined) throw new Error(`the catalogue of ${namespace} was not loaded for this batch`);
  return catalogue;
}
