import { expect } from 'chai';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { appendParked, conflict, deadLetter, event, type Row } from '#infra/usage/tables.ts';
import type { Plan, PlannedCopy } from '#test/support/reference-plan.ts';
import { countReference, type CountedEvent } from '#test/support/reference-usage.ts';
import { expectCells } from './agreement-cells.ts';
import { expectWarehouse } from './agreement-warehouse.ts';
import { expectSame } from './differences.ts';

/** An event that counts, with the row it is stored under. */
export interface StoredEvent extends CountedEvent {
  readonly committedAt: Instant;
  readonly catalogueVersion: number;
}

/**
 * Expects that everything published is there, once, and nothing else: event rows, conflicts, dead letters, cells, and the warehouse all
 * agree to the last unit with a count of the plan made by code that shares nothing with the product. `rejected` are identities that the
 * store was made to refuse.
 */
export async function expectAgreement(
  stores: Pick<OpenedStores, 'database' | 'warehouse'>,
  plan: Plan,
  rejected: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { database, warehouse } = stores;
  const counted = await expectEvents(database, plan, rejected);
  await expectConflicts(database, plan, counted);
  await expectDeadLetters(database, plan, rejected);
  expect(await rowsOf(database, appendParked), 'rows parked').to.deep.equal([]);
  const usage = countReference(counted);
  await expectCells(database, plan, usage);
  await expectWarehouse(warehouse, { plan, counted, usage });
}

export async function rowsOf<Shape extends object>(
  database: Database,
  table: Table<Shape>,
): Promise<Shape[]> {
  const rows: Shape[] = [];
  for await (const row of database.scan(table, { prefix: [] })) rows.push(row);
  return rows;
}

/** One row a distinct identity, saying what one of its copies said; returns what won. */
async function expectEvents(
  database: Database,
  plan: Plan,
  rejected: ReadonlySet<string>,
): Promise<StoredEvent[]> {
  const planned = plan.events.filter(({ identity }) => !rejected.has(identity));
  const rows = await database.read(
    event,
    planned.map(({ identity }) => [fromHex(identity)]),
  );
  const missing = planned.filter((_, i) => rows[i] === undefined);
  expect(missing.length, `events lost: ${missing.map(({ identity }) => identity).join(' ')}`).to.equal(0);
  expect((await rowsOf(database, event)).length, 'event rows').to.equal(planned.length);
  return planned.map(({ contents }, i) => winner(contents, rows[i]!));
}

function winner(contents: readonly PlannedCopy[], row: Row<typeof event>): StoredEvent {
  const identity = toHex(row.identity);
  const copy = contents.find(({ digest }) => row.digest !== null && digest === toHex(row.digest));
  if (copy === undefined) throw new Error(`event ${identity} has a digest that none of its copies has`);
  const { type, subject, state, time, committedAt, catalogueVersion } = row;
  expect({ type, subject, state }).to.deep.equal({ type: copy.type, subject: copy.subject, state: 'live' });
  if (copy.time !== null) expect(time, `time of event ${identity}`).to.equal(copy.time);
  return { identity, copy, time, committedAt, catalogueVersion };
}

/** Every content that did not win is on record, and no other. */
async function expectConflicts(
  database: Database,
  plan: Plan,
  counted: readonly StoredEvent[],
): Promise<void> {
  const won = new Map(counted.map(({ identity, copy }) => [identity, copy.digest]));
  const losers = plan.events.flatMap(({ identity, contents }) =>
    contents
      .filter(({ digest }) => won.has(identity) && won.get(identity) !== digest)
      .map((copy) => ({ identity, copy })),
  );
  const rows = await rowsOf(database, conflict);
  expectSame(
    'conflicts',
    new Map(
      rows.map(({ identity, digest, type, subject }) => [
        `${toHex(identity)} ${toHex(digest)}`,
        [type, subject],
      ]),
    ),
    new Map(losers.map(({ identity, copy }) => [`${identity} ${copy.digest}`, [copy.type, copy.subject]])),
  );
}

async function expectDeadLetters(
  database: Database,
  plan: Plan,
  rejected: ReadonlySet<string>,
): Promise<void> {
  const wanted = [
    ...plan.refusals.map(({ reason, text }) => `${reason} ${text}`),
    ...plan.messages
      .filter(({ identity = '' }) => rejected.has(identity))
      .map(({ text }) => `rejected_by_store ${text}`),
  ];
  const rows = await rowsOf(database, deadLetter);
  const found = rows.map(({ reason, bytes }) => `${reason} ${Buffer.from(bytes).toString()}`);
  expectSame('dead letters', countBy(found), countBy(wanted));
}

function countBy(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
