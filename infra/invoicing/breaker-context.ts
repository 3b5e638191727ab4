import type { Reads } from '#infra/database/database.ts';
import { appendParked, deadLetter } from '#infra/usage/tables.ts';
import { invoice, type ParkReason } from './tables.ts';

/** So many open dead letters, or parked rows, are looked through at once; with more of them each subject is asked for. */
const LISTED_MAX = 1_000;

/** The subjects of which some usage is not counted, or not in the warehouse. */
export interface HeldSubjects {
  reasonsOf(subjects: readonly string[]): Promise<ParkReason[]>;
}

/** Reads what holds invoices, of a whole namespace at once while it is little. */
export async function readHeldSubjects(from: Reads, namespace: string): Promise<HeldSubjects> {
  const letters = await Array.fromAsync(
    from.scan(deadLetter, { prefix: [namespace, 'open'] }, { index: 'byTime', limit: LISTED_MAX }),
    ({ subject }) => subject,
  );
  const rows = await Array.fromAsync(
    from.scan(appendParked, { prefix: [namespace] }, { index: 'bySubject', limit: LISTED_MAX }),
    ({ subject }) => subject,
  );
  const hasLetter = lookup(letters, async (subject) =>
    isThere(
      from.scan(deadLetter, { prefix: [namespace, subject, 'open'] }, { index: 'bySubject', limit: 1 }),
    ),
  );
  const hasRow = lookup(rows, async (subject) =>
    isThere(from.scan(appendParked, { prefix: [namespace, subject] }, { index: 'bySubject', limit: 1 })),
  );
  return {
    reasonsOf: async (subjects) => {
      const reasons: ParkReason[] = [];
      const lettered = await firstThat(subjects, hasLetter);
      if (lettered !== undefined)
        reasons.push({
          code: 'open_dead_letters',
          message: `Events of ${lettered} lie among the dead letters.`,
        });
      const parked = await firstThat(subjects, hasRow);
      if (parked !== undefined)
        reasons.push({ code: 'parked_rows', message: `The warehouse has not all events of ${parked}.` });
      return reasons;
    },
  };
}

type Has = (subject: string) => boolean | Promise<boolean>;

function lookup(listed: readonly (string | null)[], ask: Has): Has {
  if (listed.length === LISTED_MAX) return ask;
  const known = new Set(listed);
  return (subject) => known.has(subject);
}

async function isThere(rows: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of rows) return true;
  return false;
}

async function firstThat(subjects: readonly string[], has: Has): Promise<string | undefined> {
  for (const subject of subjects) if (await has(subject)) return subject;
  return undefined;
}

/** Invoices of a payer that are looked through for the last one of its kind. */
const LAST_INVOICES_MAX = 20;

/** The total of a payer's last invoice of a kind that counts for something; null: it is the first, as far as can be seen. */
export async function lastTotal(
  from: Reads,
  namespace: string,
  like: {
    readonly customer: string;
    readonly kind: string;
    readonly currency: string;
    readonly seller: string;
  },
): Promise<string | null> {
  const latest = { index: 'byCustomer', reverse: true, limit: LAST_INVOICES_MAX };
  for await (const row of from.scan(invoice, { prefix: [namespace, like.customer] }, latest)) {
    const isAlike = row.kind === like.kind && row.currency === like.currency && row.seller === like.seller;
    // What waits for a decision is no measure for others.
    if (isAlike && row.state !== 'void' && row.state !== 'draft') return row.totals.total;
  }
  return null;
}
