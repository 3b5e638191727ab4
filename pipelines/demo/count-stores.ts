import { conflict, deadLetter, event } from '#infra/usage/tables.ts';
import type { DemoStores } from './backing.ts';

type Counted = Pick<DemoStores, 'database'>;

export async function countEvents({ database }: Counted): Promise<number> {
  let events = 0;
  for await (const row of database.scan(event, { prefix: [] })) if (row.state === 'live') events++;
  return events;
}

export async function countConflicts({ database }: Counted): Promise<number> {
  let conflicts = 0;
  for await (const _ of database.scan(conflict, { prefix: [] })) conflicts++;
  return conflicts;
}

/** By reason. */
export async function countDeadLetters({ database }: Counted): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const { reason } of database.scan(deadLetter, { prefix: [] }))
    counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
