import type { Database } from '#infra/database/database.ts';
import { loadCatalogue, type LoadedCatalogue } from './load-catalogue.ts';

/** The catalogues a process works with. They are trusted only until a commit finds the stored row changed, and then forgotten. */
export interface Catalogues {
  get(namespace: string): Promise<LoadedCatalogue>;
  forget(namespace: string): void;
}

export function createCatalogues(database: Database): Catalogues {
  const loaded = new Map<string, Promise<LoadedCatalogue>>();
  const get = (namespace: string): Promise<LoadedCatalogue> => {
    let catalogue = loaded.get(namespace);
    if (catalogue === undefined) {
      catalogue = loadCatalogue(database, namespace);
      loaded.set(namespace, catalogue);
      // A failed load is tried again by the next caller.
      catalogue.catch(() => loaded.delete(namespace));
    }
    return catalogue;
  };
  return { get, forget: (namespace) => void loaded.delete(namespace) };
}
