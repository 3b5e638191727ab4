import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import { readCatalogueRow, type LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';

/** From this age on a catalogue that is used is looked at again beside the request. */
const REFRESH_MICROS = 2 * MICROS_PER_SECOND;
/** An older one may not judge any more: what was mended since must not be refused. */
export const CATALOGUE_TRUST_MICROS = 10 * MICROS_PER_SECOND;
/** While the database does not answer, the next look is after so long. */
const PAUSE_MICROS = MICROS_PER_SECOND;
/** A request waits for a catalogue so long, and goes on without. */
const WAIT_MS = 250;
const NAMESPACES_KEPT_MAX = 10_000;

/**
 * Catalogues that are some seconds old at most, for judging events before they are published. The pipeline has the last word, so an event
 * needs none to be taken: `get` answers undefined, soon, when the database does not.
 */
export interface RecentCatalogues {
  get(namespace: string): Promise<LoadedCatalogue | undefined>;
}

interface Recent {
  /** What `Catalogues.get` gave: it gives another one when this process has changed the catalogue since. */
  readonly loading: Promise<LoadedCatalogue>;
  readonly catalogue: LoadedCatalogue;
  readonly confirmedAt: Instant;
}

interface Known {
  recent?: Recent;
  looking?: Promise<void> | undefined;
  /** The last look failed: not before then is the next. */
  retryAt: Instant;
}

export interface CatalogueSource {
  readonly database: Database;
  readonly catalogues: Catalogues;
  readonly scheduler: Scheduler;
}

export function createRecentCatalogues(source: CatalogueSource): RecentCatalogues {
  const namespaces = new Map<string, Known>();
  return {
    async get(namespace) {
      const known = namespaces.get(namespace) ?? remember(namespaces, namespace);
      const now = source.scheduler.now();
      if (now < known.retryAt) return trusted(known, now);
      if (source.catalogues.get(namespace) === known.recent?.loading) {
        if (!isWithin(known.recent, now, REFRESH_MICROS)) look(source, namespace, known);
        if (isWithin(known.recent, now, CATALOGUE_TRUST_MICROS)) return known.recent.catalogue;
      } else {
        delete known.recent;
        look(source, namespace, known);
      }
      await known.looking;
      return trusted(known, now);
    },
  };
}

/** A clock that was set back makes nothing valid for longer. */
const isWithin = ({ confirmedAt }: Recent, now: Instant, micros: number): boolean =>
  Math.abs(now - confirmedAt) < micros;

const trusted = ({ recent }: Known, now: Instant): LoadedCatalogue | undefined =>
  recent !== undefined && isWithin(recent, now, CATALOGUE_TRUST_MICROS) ? recent.catalogue : undefined;

function remember(namespaces: Map<string, Known>, namespace: string): Known {
  const known: Known = { retryAt: -Infinity };
  namespaces.set(namespace, known);
  const [first] = namespaces.keys();
  if (namespaces.size > NAMESPACES_KEPT_MAX && first !== undefined) namespaces.delete(first);
  return known;
}

/** One look at a time for a namespace, however many requests want it. */
function look(source: CatalogueSource, namespace: string, known: Known): void {
  known.looking ??= soon(source.scheduler, confirm(source, namespace))
    .then((recent) => void (known.recent = recent))
    .catch(() => {
      known.retryAt = source.scheduler.now() + PAUSE_MICROS;
      // The next look begins anew, in case this one waits for an answer that never comes.
      if (known.recent === undefined) source.catalogues.forget(namespace);
    })
    .finally(() => delete known.looking);
}

/** What this process has is confirmed by the version of the stored row, or loaded anew. */
async function confirm(
  { database, catalogues, scheduler }: CatalogueSource,
  namespace: string,
): Promise<Recent> {
  const confirmedAt = scheduler.now();
  const { version } = await readCatalogueRow(database, namespace);
  const kept = catalogues.get(namespace);
  if ((await kept).row.version === version) return { loading: kept, catalogue: await kept, confirmedAt };
  catalogues.forget(namespace);
  const loading = catalogues.get(namespace);
  return { loading, catalogue: await loading, confirmedAt };
}

/** A look that takes longer has failed: what it finds is not waited for. */
async function soon(scheduler: Scheduler, confirming: Promise<Recent>): Promise<Recent> {
  const waiting = new AbortController();
  const late = scheduler.sleep(WAIT_MS, waiting.signal).then(() => {
    throw new Error('the database does not answer');
  });
  try {
    return await Promise.race([confirming, late]);
  } finally {
    waiting.abort();
  }
}
