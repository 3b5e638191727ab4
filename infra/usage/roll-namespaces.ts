import { dayOf, type DayIndex } from '#domain/instant.ts';
import { readNamespaces } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { rollDays } from './roll-days.ts';
import { freshnessOf, readFeeds } from './watermark.ts';

/** Rolls the days of every namespace, each as far as its own feeds are complete. */
export interface Roller {
  /** Returns the days rolled. One namespace that cannot be rolled keeps no other from it; its error is thrown at the end. */
  roll(): Promise<number>;
}

export function createRoller(database: Database): Roller {
  /** The day up to which nothing is left: late events write their own day rows, so it need not be looked at again. */
  const doneThrough = new Map<string, DayIndex>();

  const rollNamespace = async (namespace: string, completeThrough: number): Promise<number> => {
    const lastCompleteDay = dayOf(completeThrough) - 1;
    if ((doneThrough.get(namespace) ?? -1) >= lastCompleteDay) return 0;
    const days = await rollDays(database, namespace, completeThrough);
    if (days === 0) doneThrough.set(namespace, lastCompleteDay);
    return days;
  };

  const roll = async (): Promise<number> => {
    const feeds = await readFeeds(database);
    const errors: unknown[] = [];
    let days = 0;
    for (const namespace of await readNamespaces(database)) {
      const freshness = freshnessOf(feeds, namespace);
      if (freshness === undefined) continue;
      try {
        days += await rollNamespace(namespace, freshness.completeThrough);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'the days of some namespaces were not rolled');
    return days;
  };
  return { roll };
}
