import { hourOf, type HourIndex } from '#domain/instant.ts';
import type { Copy } from '#domain/metering/batch.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { readSubjectRows } from '#infra/customers/own-subjects.ts';
import { customerAt } from '#infra/customers/ownership.ts';
import type { Database } from '#infra/database/database.ts';

/** So many of each kind are named; all are counted. */
export const AFFECTED_NAMED_MAX = 100;

/** How many there are, and the first of them by their names, with their events. */
export interface AffectedNames {
  readonly count: number;
  readonly first: readonly { readonly name: string; readonly events: number }[];
}

/** By customer and meter, the hours in which its usage changes. */
export type AffectedUsage = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<HourIndex>>>;

export interface Affected {
  readonly subjects: AffectedNames;
  readonly customers: AffectedNames;
  readonly usage: AffectedUsage;
}

/** Gathers whose usage changes. Each event counts once, also where it is replaced. */
export function createAffected(database: Database, namespace: string) {
  const subjects = new Map<string, number>();
  const customers = new Map<string, number>();
  const usage = new Map<string, Map<string, Set<HourIndex>>>();
  const raise = (counts: Map<string, number>, name: string): void =>
    void counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    take: async (copies: readonly Copy[]): Promise<void> => {
      const names = [...new Set(copies.map(({ event }) => event.subject))];
      const rows = await readSubjectRows(database, namespace, names);
      const bySubject = new Map(rows.map((row) => [row.subject, row]));
      const seen = new Set<Hash128>();
      for (const { event, effects } of copies) {
        if (!seen.has(event.identity)) raise(subjects, event.subject);
        const customer = customerAt(bySubject.get(event.subject), event.time);
        if (customer === null) continue;
        if (!seen.has(event.identity)) raise(customers, customer);
        seen.add(event.identity);
        const meters = usage.get(customer) ?? new Map<string, Set<HourIndex>>();
        usage.set(customer, meters);
        for (const { meter } of effects) {
          const hours = meters.get(meter.key) ?? new Set<HourIndex>();
          meters.set(meter.key, hours.add(hourOf(event.time)));
        }
      }
    },
    end: (): Affected => ({ subjects: named(subjects), customers: named(customers), usage }),
  };
}

const named = (counts: ReadonlyMap<string, number>): AffectedNames => ({
  count: counts.size,
  first: [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, AFFECTED_NAMED_MAX)
    .map(([name, events]) => ({ name, events })),
});
