import type { Batch } from '#domain/metering/batch.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { ownersOf } from '#infra/customers/ownership.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { subject, Row } from '#infra/usage/tables.ts';
import { readHolds, type Hold } from './hold-rows.ts';
import { readHardLimits, type LimitsByCustomer } from './limits-by-customer.ts';

/**
 * Which subjects had hard limits, and whose they were, when this writer last looked. It is only a guess at what the first trip of a commit may
 * read along, so that there is no third one: what counts is the subject's row and what the transaction reads.
 */
export interface LimitMemory {
  /** Undefined where no hard limit is remembered. */
  ownersOf(of: SubjectName): ReadonlySet<string> | undefined;
  remember(row: Row<typeof subject>): void;
}

interface SubjectName {
  readonly namespace: string;
  readonly subject: string;
}

/** Beyond this it begins anew: a guess that is missing costs a trip. */
const REMEMBERED_MAX = 50_000;

const subjectName = (of: SubjectName): string => `${of.namespace}\0${of.subject}`;

export function createLimitMemory(): LimitMemory {
  const owners = new Map<string, ReadonlySet<string>>();
  return {
    ownersOf: (of) => owners.get(subjectName(of)),
    remember: (row) => {
      if (owners.size >= REMEMBERED_MAX) owners.clear();
      if (row.hasLimits) owners.set(subjectName(row), ownersOf(row.customers));
      else owners.delete(subjectName(row));
    },
  };
}

/** What was read along: limits of customers, and the holds (or their absence) of identities. */
export interface ForeseenLimits {
  readonly limits: LimitsByCustomer;
  readonly holds: ReadonlyMap<Hash128, Hold | undefined>;
}

export const NOTHING_FORESEEN: ForeseenLimits = { limits: new Map(), holds: new Map() };

/** Reads, within the first trip of a commit, what its events will probably touch. */
export async function foreseeLimits(
  tx: Transaction,
  memory: LimitMemory | undefined,
  { candidates, subjects }: Pick<Batch, 'candidates' | 'subjects'>,
): Promise<ForeseenLimits> {
  if (memory === undefined) return NOTHING_FORESEEN;
  const customers = subjects.flatMap(({ namespace, subject: name }) =>
    Array.from(memory.ownersOf({ namespace, subject: name }) ?? [], (customer) => ({ namespace, customer })),
  );
  if (customers.length === 0) return NOTHING_FORESEEN;
  const identities = candidates.flatMap(({ first: { event } }) =>
    memory.ownersOf(event) === undefined ? [] : [event.identity],
  );
  const [limits, holds] = await Promise.all([readHardLimits(tx, customers), readHolds(tx, identities)]);
  return { limits, holds: new Map(identities.map((identity, place) => [identity, holds[place]])) };
}
