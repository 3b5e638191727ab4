import type { Instant } from '#domain/instant.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { SnapshotReads } from '#infra/database/database.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import type { Grounds } from './check-grounds.ts';

/** What the checks of a namespace share in one state of the database, and what is known of each. */
export interface KnownNamespace {
  /** P of the namespace; null while no feed has reported. */
  readonly stamp: { readonly asOf: Instant | null; readonly completeThrough: Instant | null };
  readonly rolledThrough: number;
  /** By the names of customer and feature. */
  readonly grounds: Map<string, Grounds>;
}

/**
 * Remembers what checks were decided on for as long as nothing is committed: snapshots of one time show one state, so what was read in one
 * need not be read in the next. A commit of whichever process gives the next snapshot another time.
 */
export interface CheckMemory {
  /** What is known of the namespace in the snapshot's state. What all checks share is read where it is not known yet. */
  namespaceIn(from: SnapshotReads, namespace: string): KnownNamespace | Promise<KnownNamespace>;
  keep(of: KnownNamespace, name: string, grounds: Grounds): void;
}

/** Grounds kept of all namespaces; beyond it all are forgotten, since they are quickly read again. */
const GROUNDS_KEPT_MAX = 20_000;

export function createCheckMemory(): CheckMemory {
  let at: Instant = -Infinity;
  let kept = 0;
  const namespaces = new Map<string, KnownNamespace>();
  const forgetAll = (): void => {
    namespaces.clear();
    kept = 0;
  };
  return {
    namespaceIn: (from, namespace) => {
      const known = from.at === at ? namespaces.get(namespace) : undefined;
      if (known !== undefined) return known;
      if (from.at > at) {
        forgetAll();
        at = from.at;
      }
      return readNamespace(from, namespace).then((read) => {
        // What is found in a snapshot that another one has overtaken is of use to nobody else.
        if (from.at === at) namespaces.set(namespace, read);
        return read;
      });
    },
    keep: (of, name, grounds) => {
      if (kept >= GROUNDS_KEPT_MAX) forgetAll();
      kept++;
      of.grounds.set(name, grounds);
    },
  };
}

async function readNamespace(from: SnapshotReads, namespace: string): Promise<KnownNamespace> {
  const [freshness, { rolledThrough }] = await Promise.all([
    readFreshness(from, namespace),
    readCatalogueRow(from, namespace),
  ]);
  const stamp = { asOf: freshness?.asOf ?? null, completeThrough: freshness?.completeThrough ?? null };
  return { stamp, rolledThrough, grounds: new Map() };
}
