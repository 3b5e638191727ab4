import type { Instant } from '#domain/instant.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import { readSubjectRows, subjectsOfCustomer, type OwnedSubject } from '#infra/customers/own-subjects.ts';
import { ownersOf } from '#infra/customers/ownership.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { subject } from '#infra/usage/tables.ts';
import { generationName, readMeters } from './active-generations.ts';
import { decidingPlace, hardLimitsOf, readLimitsOf, type CustomerLimits } from './hard-limits.ts';
import { writeLimitRows, type OpenLimitRow } from './limit-rows.ts';
import { recountLimit, type RecountSource } from './recount.ts';
import { customerLimits } from './tables.ts';

export interface CustomerAt {
  readonly namespace: string;
  readonly customer: string;
  readonly now: Instant;
}

/**
 * After a change of what a customer owns, in its transaction: counts its hard limits anew in their open periods, and tells the subjects
 * whether a limit watches them. `tx` must see its own writes (`readYourWrites`) when it changed the ownership itself. Reads the cells of
 * the open periods of everything the customer owns.
 */
export async function refreshLimitsOf(
  tx: Transaction,
  { namespace, customer, now }: CustomerAt,
): Promise<void> {
  const [limits, subjects] = await Promise.all([
    readLimitsOf(tx, namespace, customer),
    subjectsOfCustomer(tx, namespace, customer),
  ]);
  await markSubjects(tx, { namespace, customer, subjects, hasHard: limits.some(({ hasHard }) => hasHard) });
  for (const of of limits) {
    if (!of.hasHard) continue;
    const current = beginAt(of, now);
    tx.upsert(customerLimits, current);
    const rows = await recountLimits(tx, current, { subjects, now });
    writeLimitRows(tx, rows, now);
  }
}

/** The limits counting from their present periods on: rows of earlier ones keep what they had and take nothing more. */
const beginAt = (of: CustomerLimits, now: Instant): CustomerLimits => {
  const starts = new Map(
    hardLimitsOf(of)
      .filter(({ period }) => period.kind === 'every')
      .map((hard) => [hard.limit.key, decidingPlace(hard, now).periodStart]),
  );
  return {
    ...of,
    limits: of.limits.map((limit) => ({ ...limit, since: starts.get(limit.key) ?? limit.since })),
  };
};

/** Counts a feature's hard limits (those that `only` names) from the cells; the caller writes the rows. */
export async function recountLimits(
  tx: Transaction,
  of: CustomerLimits,
  { subjects, now, only }: { subjects: readonly OwnedSubject[]; now: Instant; only?: ReadonlySet<string> },
): Promise<OpenLimitRow[]> {
  const [meters, { rolledThrough }] = await Promise.all([
    readMeters(tx, [of]),
    readCatalogueRow(tx, of.namespace),
  ]);
  const source: RecountSource = { subjects, versions: meters.get(generationName(of)) ?? [], rolledThrough };
  const rows: OpenLimitRow[] = [];
  for (const hard of hardLimitsOf(of))
    if (only === undefined || only.has(hard.limit.key))
      rows.push(...(await recountLimit(tx, hard, source, now)));
  return rows;
}

export interface Ownership {
  readonly namespace: string;
  readonly customer: string;
  readonly subjects: readonly OwnedSubject[];
  /** Whether the customer has a hard limit on any feature. */
  readonly hasHard: boolean;
}

/** A subject is watched when any of its customers, past and planned ones too, has a hard limit. */
export async function markSubjects(
  tx: Transaction,
  { namespace, customer, subjects, hasHard }: Ownership,
): Promise<void> {
  const rows = await readSubjectRows(
    tx,
    namespace,
    subjects.map((each) => each.subject),
  );
  const others = new Set(rows.flatMap(({ customers }) => [...ownersOf(customers)]));
  others.delete(customer);
  const watching = await customersWithHardLimits(tx, namespace, others);
  if (hasHard) watching.add(customer);
  for (const row of rows) {
    const hasLimits = !ownersOf(row.customers).isDisjointFrom(watching);
    if (hasLimits !== row.hasLimits) tx.upsert(subject, { ...row, hasLimits });
  }
}

async function customersWithHardLimits(
  from: Reads,
  namespace: string,
  customers: Iterable<string>,
): Promise<Set<string>> {
  const watching = new Set<string>();
  await Promise.all(
    Array.from(customers, async (customer) => {
      const limits = await readLimitsOf(from, namespace, customer);
      if (limits.some(({ hasHard }) => hasHard)) watching.add(customer);
    }),
  );
  return watching;
}
