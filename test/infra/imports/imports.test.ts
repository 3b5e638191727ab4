import { expect } from 'chai';
import { dayOf, MICROS_PER_DAY } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { catalogue } from '#infra/catalogue/tables.ts';
import { prepareUndo } from '#infra/imports/prepare-undo.ts';
import { foreseeImport } from '#infra/imports/foresee-import.ts';
import {
  applyImport,
  cancelImport,
  createImport,
  preparePart,
  putPart,
  readImport,
  undoImport,
} from '#infra/imports/imports.ts';
import type { ImportError } from '#infra/imports/errors.ts';
import { importPartLines, stagedImport, type ImportRow } from '#infra/imports/tables.ts';
import { workOnImport } from '#infra/imports/work-on-import.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { event, usageDay, usageHour } from '#infra/usage/tables.ts';
import { finish as finishCorrection, undo } from '#test/infra/corrections/correction-fixture.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  NAMESPACE,
  NOON,
  openStores,
  SOURCE,
  SUM_METER,
  type Said,
  type Stores,
} from '#test/infra/usage/usage-fixture.ts';

const origin = ({ clock }: Stores) => ({ principal: 'key-1', reason: 'we move here', now: clock.now });
const storesOf = ({ database, warehouse }: Stores) => ({
  database,
  warehouse,
  catalogues: createCatalogues(database),
});

const line = ({
  id = 'e-1',
  time = '2025-01-10T11:30:10Z',
  subject = 'acme',
  data = { v: '1' },
}: Said): string =>
  JSON.stringify({ specversion: '1.0', source: SOURCE, type: 'use', id, time, subject, data });

/** The event of a line as it is published, so that the model can be asked. */
const said = (of: Said) =>
  delivery({
    time: '2025-01-10T11:30:10Z',
    ...of,
    publishTime: Date.parse(of.time ?? '2025-01-10T11:30:10Z') * 1_000,
  });

async function stage(stores: Stores, ...parts: readonly (readonly string[])[]): Promise<ImportRow> {
  const { result: row } = await stores.database.transact(async (tx) =>
    createImport(tx, NAMESPACE, origin(stores)),
  );
  for (const [at, lines] of parts.entries()) await put(stores, row, at + 1, lines);
  return row;
}

async function put(
  stores: Stores,
  { namespace, id }: ImportRow,
  part: number,
  lines: readonly string[],
): Promise<void> {
  const prepared = await preparePart(stores.database, { namespace, id, part }, Buffer.from(lines.join('\n')));
  await stores.database.transact((tx) => putPart(tx, prepared));
}

async function apply(stores: Stores, { id }: ImportRow, skipRefused = false): Promise<ImportRow> {
  const name = { namespace: NAMESPACE, id };
  await stores.database.transact((tx) => applyImport(tx, { ...name, skipRefused }, origin(stores)));
  return finish(stores, id);
}

async function finish(stores: Stores, id: string): Promise<ImportRow> {
  const scheduler = { now: () => stores.clock.now, sleep: async () => undefined };
  await workOnImport(storesOf(stores), { namespace: NAMESPACE, id, worker: 'one', scheduler });
  return stores.database.rows(stagedImport).find((row) => row.id === id)!;
}

const foresee = (stores: Stores, { id }: ImportRow) =>
  foreseeImport(storesOf(stores), { namespace: NAMESPACE, id }, { now: stores.clock.now });

async function undoAll(stores: Stores, { id }: ImportRow) {
  const name = { namespace: NAMESPACE, id };
  const prepared = await prepareUndo(stores.database, name);
  const { result } = await stores.database.transact((tx) =>
    undoImport(tx, name, { origin: origin(stores), prepared }),
  );
  return finishCorrection(stores, typeof result === 'string' ? result : result.id);
}

const OLD = [
  '2024-01-05T10:00:00Z',
  '2024-01-06T23:59:59Z',
  '2025-09-01T00:00:00Z',
  '2026-03-09T10:00:00Z',
  '2026-03-10T11:00:00Z',
];
const old = OLD.map((time, i): Said => ({ id: `e-${i}`, time, data: { v: `${i + 1}`, u: 'ann', m: 'm1' } }));

/** By meter, what all day rows sum up to. */
const dayTotals = ({ database }: Stores): number => database.rows(usageDay).length;

describe('a staged import', () => {
  it('counts events of whatever age, each once, and says what it did', async () => {
    const stores = await openStores(ALL_METERS);
    const done = await apply(stores, await stage(stores, old.map(line)));
    expect(done).to.include({ state: 'applied' });
    expect(done.counts).to.include({ accepted: 5, duplicates: 0, refused: 0 });
    const shown = await exactEvents(stores);
    expect(shown.map((row) => [row['id'], row['attributes']])).to.deep.equal(
      old.map(({ id }) => [id, `{"import":"${done.id}"}`]),
    );
    expect(stores.database.rows(importPartLines)).to.deep.equal([]);
  });

  it('puts what is older than hour cells into day rows only', async () => {
    const stores = await openStores(SUM_METER);
    await apply(stores, await stage(stores, old.map(line)));
    const [first, second] = OLD.map((time) => dayOf(Date.parse(time) * 1_000));
    expect(stores.database.rows(usageDay).map(({ day }) => day)).to.include.members([first, second]);
    const oldestHour = Math.min(...stores.database.rows(usageHour).map(({ hour }) => hour));
    expect(oldestHour * 3_600_000).to.equal(Date.parse('2025-09-01T00:00:00Z'));
    expect(stores.database.rows(catalogue)[0]!.rolledThrough).to.be.at.least(second!);
  });

  it('of events within 13 months amounts to the same cells as events that were published', async () => {
    const stores = await openStores(ALL_METERS);
    const recent = old.slice(2);
    await apply(stores, await stage(stores, recent.map(line)));
    const rolledThrough = dayOf(NOON) - 1;
    while ((await rollDays(stores.database, NAMESPACE, NOON)) > 0);
    expectUsage(stores, { live: recent.map(said), rolledThrough });
  });

  it('applied again, or beside the same events of another import, changes nothing', async () => {
    const stores = await openStores(ALL_METERS);
    await apply(stores, await stage(stores, old.map(line)));
    const [hours, days] = [stores.database.rows(usageHour), stores.database.rows(usageDay)];
    const again = await apply(stores, await stage(stores, old.map(line)));
    expect(again.counts).to.include({ accepted: 0, duplicates: 5 });
    expect([stores.database.rows(usageHour), stores.database.rows(usageDay)]).to.deep.equal([hours, days]);
  });

  it('knows its events after their rows have expired', async () => {
    const stores = await openStores(SUM_METER);
    await apply(stores, await stage(stores, old.map(line)));
    await stores.database.transact(async (tx) => {
      for (const { identity } of stores.database.rows(event)) tx.delete(event, [identity]);
    });
    const days = dayTotals(stores);
    stores.clock.now += MICROS_PER_DAY;
    const changed = { ...old[4]!, data: { v: '99' } };
    const again = await apply(stores, await stage(stores, old.slice(0, 4).map(line), [line(changed)]));
    expect(again.counts).to.include({ accepted: 0, duplicates: 4, conflicts: 1 });
    expect(dayTotals(stores)).to.equal(days);
  });

  it('takes an event once that stands in it twice, and says which says something else', async () => {
    const stores = await openStores(SUM_METER);
    const done = await apply(
      stores,
      await stage(stores, [line({ id: 'a' }), line({ id: 'a' })], [line({ id: 'a', data: { v: '2' } })]),
    );
    expect(done.counts).to.include({ accepted: 1, duplicates: 1, conflicts: 1 });
  });

  it('names every line that is refused, and counts nothing unless they are skipped', async () => {
    const stores = await openStores(SUM_METER);
    const bad = [
      '{',
      line({ id: 'b' }).replace('"time"', '"then"'),
      line({ id: 'c', time: '2027-01-01T00:00:00Z' }),
    ];
    const staged = await stage(stores, [line({ id: 'a' }), ...bad]);
    const { refused, refusedLines } = await readImport(stores.database, {
      namespace: NAMESPACE,
      id: staged.id,
    });
    expect(refusedLines).to.equal(3);
    expect(refused.map(({ part, line: at, code }) => [part, at, code])).to.deep.equal([
      [1, 2, 'malformed_json'],
      [1, 3, 'attribute_missing'],
      [1, 4, 'in_the_future'],
    ]);
    const error = await errorOf(() => apply(stores, staged));
    expect((error as ImportError).code).to.equal('import_has_violations');
    expect((await apply(stores, staged, true)).counts.accepted).to.equal(1);
  });

  it('goes back to staging when the meters refuse a line, before anything is counted', async () => {
    const stores = await openStores(SUM_METER);
    const staged = await stage(stores, [line({ id: 'a' }), line({ id: 'b', data: {} })]);
    const back = await apply(stores, staged);
    expect(back).to.include({ state: 'staging' });
    expect(back.refused.map(({ line: at, code }) => [at, code])).to.deep.equal([[2, 'value_missing']]);
    expect(stores.database.rows(event)).to.deep.equal([]);
    await put(stores, staged, 1, [line({ id: 'a' })]);
    expect((await apply(stores, staged)).counts.accepted).to.equal(1);
  });

  it('does what its preview says', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [delivery({ id: 'e-4', time: OLD[4]!, data: { v: '5', u: 'ann', m: 'm1' } })]);
    const staged = await stage(stores, [...old, old[0]!].map(line));
    const seen = await foresee(stores, staged);
    expect(stores.database.rows(event)).to.have.length(1);
    expect(seen).to.include({ accepted: 4, duplicates: 2, conflicts: 0, days: 4, daysWithoutHours: 2 });
    expect(seen.meters.map(({ meter, value }) => [meter, value])).to.deep.equal([['tokens', 10]]);
    const { counts } = await apply(stores, staged);
    expect(counts).to.include({ accepted: seen.accepted, duplicates: seen.duplicates });
  });

  it('is taken back as a whole, and that is undone as well', async () => {
    const stores = await openStores(ALL_METERS);
    const mine = delivery({ id: 'mine', time: OLD[4]!, data: { v: '7', u: 'bob', m: 'm1' } });
    await commit(stores, [mine]);
    const done = await apply(stores, await stage(stores, old.map(line)));
    const shown = await exactEvents(stores);
    const voided = await undoAll(stores, done);
    expect(voided).to.include({ state: 'applied', matched: 5 });
    expect((await exactEvents(stores)).map((row) => row['id'])).to.deep.equal(['mine']);
    for (const { day, totals, dirty } of stores.database.rows(usageDay))
      if (day < dayOf(NOON)) expect([totals[0] ?? 0, dirty], String(day)).to.deep.equal([0, false]);
    await undo(stores, voided);
    expect(await exactEvents(stores)).to.deep.equal(shown);
  });

  it('that is canceled lets its lines go', async () => {
    const stores = await openStores(SUM_METER);
    const staged = await stage(stores, [line({ id: 'a' })]);
    const name = { namespace: NAMESPACE, id: staged.id };
    await stores.database.transact((tx) => cancelImport(tx, name, origin(stores)));
    expect(await finish(stores, staged.id)).to.include({ state: 'canceled' });
    expect(stores.database.rows(importPartLines)).to.deep.equal([]);
  });
});
