import { conflict, deadLetter, event } from '#infra/usage/tables.ts';
import type { DemoStores } from './backing.ts';
import type { Fact, Planned } from './data-set.ts';
import { contendersOf, isRejected, sumOf } from './expected.ts';

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

/** What the pipeline stores of messages: each event once, each other content of it, and what is refused. */
export type Stored = Readonly<Record<'events' | 'conflicts' | 'deadLetters', number>>;

/** What must be stored of these messages in the end. */
export function storable(messages: readonly Planned[]): Stored {
  const taken = messages.filter((message) => !isRejected(message));
  const facts = taken.flatMap(({ fact }): readonly Fact[] => (fact === undefined ? [] : [fact]));
  return {
    events: new Set(facts.map(({ source, id }) => `${source}\n${id}`)).size,
    conflicts: [...contendersOf(taken).values()].reduce((sum, contents) => sum + contents.length - 1, 0),
    deadLetters: taken.length - facts.length,
  };
}

export const countStored = async (stores: Counted): Promise<Stored> => ({
  events: await countEvents(stores),
  conflicts: await countConflicts(stores),
  deadLetters: sumOf(await countDeadLetters(stores)),
});
