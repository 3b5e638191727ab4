import { expect } from 'chai';
import { toHex } from '#domain/metering/hash128.ts';
import { auditEntry } from '#infra/audit/tables.ts';
import { cancelCorrection, listCorrections, openCorrections } from '#infra/corrections/corrections.ts';
import { CorrectionError } from '#infra/corrections/errors.ts';
import { prepareCorrection } from '#infra/corrections/prepare-correction.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import { rollDays } from '#infra/usage/roll-days.ts';
import { correctedEvent, distinctValue, usageDay, usageHour } from '#infra/usage/tables.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  instant,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  storedEvent,
  SUM_METER,
  type Stores,
} from '#test/infra/usage/usage-fixture.ts';
import { ask, correct, DAY, finish, REASON, undo } from './correction-fixture.ts';

const rich = (id: string, v: string, said: object = {}) =>
  delivery({ id, time: `2026-03-10T11:3${id.slice(-1)}:00Z`, data: { v, u: 'ann', m: 'm1' }, ...said });

/** Every cell of the store; without what is only found by a repair. */
const cells = ({ database }: Stores): unknown[] => [
  database.rows(usageHour).map((row) => ({ ...row, dirty: false })),
  database.rows(usageDay).map((row) => ({ ...row, dirty: false })),
  database.rows(distinctValue),
];

const shownIds = async (stores: Stores): Promise<string[]> =>
  (await exactEvents(stores)).map((row) => String(row['id']));

describe('voiding by filter', () => {
  it('takes back exactly the events that meet every condition, and says what it did', async () => {
    const stores = await openStores(ALL_METERS);
    const gone = [rich('e-1', '5'), rich('e-2', '7')];
    const kept = [
      rich('e-3', '5', { subject: 'other' }),
      rich('e-4', '0'),
      rich('e-5', '5', { time: '2026-03-09T11:00:00Z' }),
      rich('e-6', '5', { source: 'urn:other' }),
      rich('e-7', '5', { type: 'state' }),
    ];
    await commit(stores, [...gone, ...kept]);
    const filter = {
      ...DAY,
      type: 'use',
      source: 'urn:svc:test',
      subjects: ['acme'],
      where: "data.v != '0'",
    };
    const done = await correct(stores, { action: 'void', filter });
    expect(done).to.include({ state: 'applied', matched: 2 });
    expect(done.counts).to.include({ changed: 2, already: 0 });
    expectUsage(stores, { live: kept, voided: gone });
    expect(await shownIds(stores)).to.have.members(['e-3', 'e-4', 'e-5', 'e-6', 'e-7']);
    expect(await openCorrections(stores.database)).to.deep.equal([]);
  });

  it('leaves nothing dirty where a minute loses all its events, whatever they measured', async () => {
    const stores = await openStores(ALL_METERS);
    const gone = ['3', '1', '2'].map((v, i) => rich(`e-${i}`, v, { time: '2026-03-10T11:30:00Z' }));
    await commit(stores, gone);
    await correct(stores, { action: 'void', filter: DAY });
    expect(stores.database.rows(usageHour).filter(({ dirty }) => dirty)).to.deep.equal([]);
    expectUsage(stores, { live: [], voided: gone });
  });

  it('means only events that were committed when it was asked for', async () => {
    const stores = await openStores(SUM_METER);
    const [early, late] = [rich('e-1', '1'), rich('e-2', '2')];
    await commit(stores, [early]);
    const { id } = await ask(stores, { action: 'void', filter: DAY });
    await commit(stores, [late]);
    await finish(stores, id);
    expectUsage(stores, { live: [late], voided: [early] });
  });

  it('by a customer means what was its own when it happened', async () => {
    const stores = await openStores(SUM_METER);
    const customer = { name: 'Old', subjects: ['acme'] };
    await stores.database.transact((tx) =>
      putCustomer(tx, { namespace: NAMESPACE, now: NOON, key: 'old', customer }),
    );
    const event = rich('e-1', '1');
    await commit(stores, [event, rich('e-2', '1', { subject: 'nobody' })]);
    const done = await correct(stores, { action: 'void', filter: { ...DAY, customer: 'old' } });
    expect(done.counts.changed).to.equal(1);
    expect(await shownIds(stores)).to.deep.equal(['e-2']);
  });

  it('takes back what is in rolled days, in the levels of later days too', async () => {
    const stores = await openStores(ALL_METERS);
    const events = ['07', '08', '09'].map((day, i) =>
      rich(`e-${i}`, `${i + 1}`, { time: `2026-03-${day}T10:00:00Z` }),
    );
    await commit(stores, events);
    await rollDays(stores.database, NAMESPACE, NOON);
    const from = instant('2026-03-07T00:00:00Z');
    await correct(stores, { action: 'void', filter: { from, to: from + 86_400_000_000 * 2 } });
    const rolledThrough = Math.floor(NOON / 86_400_000_000) - 1;
    expectUsage(stores, { live: events.slice(2), voided: events.slice(0, 2), rolledThrough });
  });

  it('done twice, changes nothing the second time', async () => {
    const stores = await openStores(ALL_METERS);
    const gone = [rich('e-1', '5'), rich('e-2', '7')];
    await commit(stores, gone);
    await correct(stores, { action: 'void', filter: DAY });
    const before = cells(stores);
    const again = await correct(stores, { action: 'void', filter: DAY });
    expect(again).to.include({ state: 'applied', matched: 0 });
    expect(cells(stores)).to.deep.equal(before);
  });

  it('works through more events than fit into one batch', async () => {
    const stores = await openStores(SUM_METER);
    const many = Array.from({ length: 600 }, (_, i) =>
      delivery({ id: `e-${i}`, time: new Date(1_773_140_400_000 + i * 5_000).toISOString() }),
    );
    await commit(stores, many);
    const done = await correct(stores, { action: 'void', filter: DAY });
    expect(done.counts.changed).to.equal(600);
    expectUsage(stores, { live: [], voided: many });
    expect((await undo(stores, done)).counts.undone).to.equal(600);
    expectUsage(stores, { live: many, voided: many });
  });
});

describe('undoing a correction', () => {
  it('brings back totals, cells, fingerprints and the exact view as they were', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [rich('e-1', '5'), rich('e-2', '7'), rich('e-3', '1', { subject: 'other' })];
    await commit(stores, events);
    const [before, shown] = [cells(stores), await exactEvents(stores)];
    const done = await correct(stores, { action: 'void', filter: DAY });
    expect(cells(stores)).to.not.deep.equal(before);
    const undone = await undo(stores, done);
    expect(undone).to.include({ state: 'undone' });
    expect(undone.counts).to.include({ changed: 3, undone: 3, superseded: 0 });
    expect(cells(stores)).to.deep.equal(before);
    expect(await exactEvents(stores)).to.deep.equal(shown);
  });

  it('leaves alone what was voided by others, before or since', async () => {
    const stores = await openStores(SUM_METER);
    const events = [rich('e-1', '1'), rich('e-2', '2'), rich('e-3', '4')];
    await commit(stores, events);
    await voidEvent(stores.writer(), nameOf('e-1'));
    const done = await correct(stores, { action: 'void', filter: DAY });
    await restoreEvent(stores.writer(), nameOf('e-2'));
    await voidEvent(stores.writer(), nameOf('e-2'));
    const undone = await undo(stores, done);
    expect(undone.counts.undone).to.equal(1);
    expectUsage(stores, { live: [events[2]!], voided: events });
  });

  it('of an amendment brings the old events back in the place of the new ones', async () => {
    const stores = await openStores(ALL_METERS);
    await commit(stores, [rich('e-1', '5'), rich('e-2', '7')]);
    const before = cells(stores);
    const done = await correct(stores, {
      action: 'amend',
      filter: DAY,
      change: { multiply: [{ path: 'v', by: '1000' }] },
    });
    await undo(stores, done);
    expect(cells(stores)).to.deep.equal(before);
    expect(await shownIds(stores)).to.deep.equal(['e-1', 'e-2']);
  });

  it('of an amendment leaves an event alone whose replacement was corrected since', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '5')]);
    const done = await correct(stores, { action: 'amend', filter: DAY, change: { data: '{"v":"6"}' } });
    await correct(stores, { action: 'void', filter: DAY });
    const undone = await undo(stores, done);
    expect(undone.counts).to.include({ undone: 0, superseded: 1 });
    expect(await shownIds(stores)).to.deep.equal([]);
  });
});

describe('restoring by filter', () => {
  it('brings back what is void and meets the conditions, and undone voids it again', async () => {
    const stores = await openStores(ALL_METERS);
    const events = [rich('e-1', '5'), rich('e-2', '7')];
    await commit(stores, events);
    for (const id of ['e-1', 'e-2']) await voidEvent(stores.writer(), nameOf(id));
    const done = await correct(stores, { action: 'restore', filter: { ...DAY, where: "data.v == '7'" } });
    expect(done.counts.changed).to.equal(1);
    expectUsage(stores, { live: [events[1]!], voided: events });
    expect(await shownIds(stores)).to.deep.equal(['e-2']);
    await undo(stores, done);
    expectUsage(stores, { live: [], voided: events });
    expect(await shownIds(stores)).to.deep.equal([]);
  });
});

describe('amending by filter', () => {
  it('puts a changed event in the place of each, with no digit lost', async () => {
    const stores = await openStores({ tokens: SUM_METER['tokens']! });
    await commit(stores, [rich('e-1', '0.000000000000000001'), rich('e-2', '9007199254740993')]);
    const done = await correct(stores, {
      action: 'amend',
      filter: DAY,
      change: {
        subject: 'right',
        data: '{"m":null,"n":12345678901234567890}',
        multiply: [{ path: 'v', by: '1000' }],
      },
    });
    expect(done.counts).to.include({ changed: 2, refused: 0 });
    const shown = await exactEvents(stores);
    expect(shown.map((row) => [row['subject'], row['data']])).to.deep.equal([
      ['right', '{"n":12345678901234567890,"u":"ann","v":"0.000000000000001"}'],
      ['right', '{"n":12345678901234567890,"u":"ann","v":"9007199254740993000"}'],
    ]);
    const identity = toHex(storedEvent(stores, 'e-1')!.identity);
    expect(shown[0]!['attributes']).to.equal(`{"amends":"${identity}","correction":"${done.id}"}`);
  });

  it('leaves an event as it is whose change would be refused, or would change nothing, and says so', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '5'), rich('e-2', '12345678901234567890'), rich('e-3', '0')]);
    const done = await correct(stores, {
      action: 'amend',
      filter: DAY,
      change: { multiply: [{ path: 'v', by: '10' }] },
    });
    expect(done.counts).to.include({ changed: 1, refused: 1, unchanged: 1 });
    expect(done.refused.map(({ id, code }) => [id, code])).to.deep.equal([['e-2', 'out_of_range']]);
    expect(await shownIds(stores))
      .to.include.members(['e-2', 'e-3'])
      .and.not.include('e-1');
  });

  it('leaves events as they are that would miss the value of a meter', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '5')]);
    const done = await correct(stores, { action: 'amend', filter: DAY, change: { data: '{"v":null}' } });
    expect(done.refused.map(({ code }) => code)).to.deep.equal(['value_missing']);
    expect(storedEvent(stores, 'e-1')?.state).to.equal('live');
  });
});

describe('a correction', () => {
  it('that is canceled ends where it is, and what it had changed can be undone', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '1')]);
    const { id } = await ask(stores, { action: 'void', filter: DAY });
    const origin = { principal: 'key-1', reason: 'no', now: NOON };
    await stores.database.transact((tx) => cancelCorrection(tx, { namespace: NAMESPACE, id }, origin));
    const ended = await finish(stores, id);
    expect(ended).to.include({ state: 'canceled' });
    expect(ended.counts.changed).to.equal(0);
    expect((await undo(stores, ended)).state).to.equal('undone');
  });

  it('is recorded with its reason when it is asked for and when it is undone', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '1')]);
    await undo(stores, await correct(stores, { action: 'void', filter: DAY }));
    const entries = stores.database.rows(auditEntry);
    expect(entries.map(({ action }) => action)).to.have.members(['correction.create', 'correction.undo']);
    for (const entry of entries)
      expect(entry).to.include({ reason: REASON, principal: 'key-1', targetKind: 'correction' });
  });

  it('that cannot be done is refused with everything that is wrong', async () => {
    const stores = await openStores(SUM_METER);
    const filter = { from: DAY.to, to: DAY.from, subjects: [], where: 'data.' };
    const error = await errorOf(() =>
      prepareCorrection(stores.database, { namespace: NAMESPACE, action: 'amend', filter }),
    );
    expect(error).to.be.instanceOf(CorrectionError);
    expect((error as CorrectionError).violations.map(({ pointer }) => pointer)).to.deep.equal([
      '/filter/to',
      '/filter/subjects',
      '/filter/where',
      '/change',
    ]);
  });

  it('is listed, the newest first', async () => {
    const stores = await openStores(SUM_METER);
    const first = await ask(stores, { action: 'void', filter: DAY });
    stores.clock.now += 1_000_000;
    const second = await ask(stores, { action: 'void', filter: DAY });
    const listed = await listCorrections(stores.database, NAMESPACE, { limit: 10 });
    expect(listed.map(({ id }) => id)).to.deep.equal([second.id, first.id]);
  });

  it('notes of every event the last correction, also of those that were corrected by name', async () => {
    const stores = await openStores(SUM_METER);
    await commit(stores, [rich('e-1', '1'), rich('e-2', '1')]);
    await voidEvent(stores.writer(), nameOf('e-1'));
    const { id } = await correct(stores, { action: 'void', filter: DAY });
    const noted = stores.database.rows(correctedEvent).map((row) => [row.eventId, row.correction]);
    expect(noted).to.have.deep.members([
      ['e-1', null],
      ['e-2', id],
    ]);
  });
});
